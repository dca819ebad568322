"""What can be fetched: a button each, or how far the server's one fetch is."""

import streamlit as st

from view.shared import visitor
from view.shared.page import show_error
from view.shared.progress import Standing, follow
from wlm.catalog.background_fetch import BackgroundFetch
from wlm.catalog.fetch import TUTORIAL_WEIGHTS, WIKITEXT2, fetched_bytes, is_here
from wlm.hosting import hosting
from wlm.measuring.wording import size_in_words

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
def fetched(fetches: int) -> dict[str, bool]:
    """Which of TO_GET are here, looked at anew after each fetch."""
    return {what: is_here(what) for what in TO_GET}


def show_fetches(running: bool) -> None:
    """Draw a button for each thing that can be fetched, or how far the fetch is."""
    if not hosting().allows("fetching"):
        return
    fetching, here = background(), fetched(background().ended)
    if fetching.error and not running and fetching.owner == visitor.name():
        show_error(fetching.error)
    for what, (label, sentence) in TO_GET.items():
        with st.container(border=True):
            st.markdown(f"**{what}**, {size_in_words(fetched_bytes(what))}. {sentence}")
            if running and fetching.what == what:
                follow(standing)
            elif here[what]:
                st.markdown(":material/check_circle: Here, and its hash is right.")
            elif st.button(label, icon=":material/download:", disabled=running, key=f"get-{what}"):
                fetching.start(what, visitor.name())
                st.rerun()


def standing() -> Standing | None:
    """Return how far the fetch is, in size and time left; nothing once it has ended."""
    fetching = background()
    if not fetching.running:
        return None
    progress = fetching.progress
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:,.0f} s left"
    return Standing(progress.done, f"{progress.stage}{left}", fetching.stopping, fetching.stop)
