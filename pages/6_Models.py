"""Models: which models and texts are here, where they came from, and how to get more."""

import streamlit as st

from view.models import uploads
from view.shared import page as ui
from wlm.catalog.background_fetch import BackgroundFetch
from wlm.catalog.fetch import TUTORIAL_WEIGHTS, WIKITEXT2, fetched_bytes, is_here
from wlm.catalog.inventory import Item, models_here, texts_here

TO_GET = {
    WIKITEXT2: (
        "Get WikiText-2",
        "The text that the tutorial was measured on: 245,569 tokens in its test set. From "
        "pytorch/examples on GitHub; Merity et al. 2016, CC BY-SA 3.0.",
    ),
    TUTORIAL_WEIGHTS: (
        "Get the tutorial's weights",
        "The model that the tutorial quantized, in fp32. It takes its vocabulary from WikiText-2, "
        "which is fetched first if it is not here.",
    ),
}


@st.cache_resource(show_spinner=False)
def background() -> BackgroundFetch:
    """The server's one fetch."""
    return BackgroundFetch()


@st.cache_data(ttl=60, show_spinner="Checking the files …")
def what_is_here(ended: int) -> tuple[list[Item], list[Item], dict[str, bool]]:
    """Models, texts, and which of TO_GET are here: each file is read to check its hash.

    It is looked at anew once a fetch has ended.
    """
    return models_here(), texts_here(), {what: is_here(what) for what in TO_GET}


def main() -> None:
    ui.start_page("Models")
    st.title("Models and texts")
    st.markdown(
        "What every page can choose from. Weights are checked against the hash on their card "
        "before they are used."
    )
    with ui.errors_shown():
        running = background().running  # asked first: what it fetched is found below
        models, texts, here = what_is_here(background().ended)
        show_items("Models", models)
        show_items("Texts", texts)
        st.subheader("Get more")
        show_fetches(here, running)
        uploads.show()
        with st.expander("Folders of your own machine", icon=":material/folder_open:"):
            st.markdown(
                "Start the app with `WLM_MODELS` and `WLM_TEXTS` naming folders: each model folder "
                "(`model.safetensors`, `vocab.txt`, `card.json`), each `.txt` file and each folder "
                "with a `test.txt` in them joins the lists, for everyone and without limits."
            )


def show_items(title: str, items: list[Item]) -> None:
    """Show each model or text: its facts, or what is wrong with it."""
    st.subheader(title)
    for item in items:
        if item.problem:
            ui.show_error(item.problem)
            continue
        with st.container(border=True):
            words, size, loss = st.columns([4, 1, 1], vertical_alignment="center")
            with words:
                st.markdown(f"**{ui.plain(item.name)}**")
                facts = [
                    item.origin,
                    item.source and f"Trained on {item.source}",
                    item.licence and f"Licence: {item.licence}",
                    item.weights_read and f"Weights read: {item.weights_read}",
                ]
                lines = [ui.plain(fact[0].upper() + fact[1:]) for fact in facts if fact]
                st.caption("  \n".join([*lines, f"SHA-256 `{item.sha256}`"]))
            size.metric("Size, MB", f"{item.size_bytes / 1e6:.2f}")
            if item.loss is not None:
                loss.metric(
                    "Test loss, fp32",
                    f"{round(item.loss, 4):g}",
                    help="Nats per token, as its card says.",
                )


def show_fetches(here: dict[str, bool], running: bool) -> None:
    """Draw a button for each thing that can be fetched, or how far the fetch is."""
    fetching = background()
    if fetching.error and not running:
        ui.show_error(fetching.error)
    for what, (label, sentence) in TO_GET.items():
        with st.container(border=True):
            st.markdown(f"**{what}**, {fetched_bytes(what) / 1e6:.1f} MB. {sentence}")
            if running and fetching.what == what:
                watch(fetching)
            elif here[what]:
                st.markdown(":material/check_circle: Here, and its hash is right.")
            elif st.button(
                label,
                icon=":material/download:",
                disabled=running,
                key=f"get-{what}",
            ):
                fetching.start(what)
                st.rerun()


def watch(fetching: BackgroundFetch) -> None:
    """Follow the fetch until it ends: size, time left and a stop button."""

    @st.fragment(run_every=0.5)
    def follow() -> None:
        if not fetching.running:
            st.rerun()
        progress = fetching.progress
        left = "" if progress.seconds_left is None else f", {progress.seconds_left:,.0f} s left"
        with st.container(horizontal=True, vertical_alignment="center"):
            text = "Stopping …" if fetching.stopping else f"{progress.stage}{left}"
            st.progress(progress.done, text=text)
            if st.button("Stop", icon=":material/stop:", disabled=fetching.stopping):
                fetching.stop()
                st.rerun(scope="fragment")

    follow()


main()
