"""Downloads: a button for each, or the progress of the server's one download."""

import streamlit as st

from view.shared import visitor
from view.shared.page import show_error
from view.shared.progress import Standing, follow
from view.shared.singleton import singleton
from wlm.catalog.fetch import BackgroundFetch, fetched_bytes, is_here
from wlm.catalog.tutorial_weights import TUTORIAL_WEIGHTS
from wlm.catalog.wikitext2 import WIKITEXT2
from wlm.hosting import hosting
from wlm.measuring.wording import size_in_words

DOWNLOADS = {
    WIKITEXT2: (
        "Download WikiText-2",
        "The tutorial's text: 245,569 tokens in its test set. From pytorch/examples on GitHub; "
        "Merity et al. 2016, CC BY-SA 3.0.",
    ),
    TUTORIAL_WEIGHTS: (
        "Download the tutorial's weights",
        "The tutorial's model in fp32. Its vocabulary comes from WikiText-2, which is downloaded "
        "first if it is missing.",
    ),
}


@singleton
def background() -> BackgroundFetch:
    """Return the server's one download."""
    return BackgroundFetch()


@st.cache_data(ttl=60, show_spinner="Checking the files …")
def fetched(fetches: int) -> dict[str, bool]:
    """Tell which of DOWNLOADS are here; `fetches` makes it look again after each download."""
    return {what: is_here(what) for what in DOWNLOADS}


def show_fetches(running: bool) -> None:
    """Draw a button for each download, or its progress."""
    if not hosting().allows("fetching"):
        return
    fetching, here = background(), fetched(background().ended)
    if fetching.error and not running and fetching.owner == visitor.name():
        show_error(fetching.error)
    for what, (label, sentence) in DOWNLOADS.items():
        with st.container(border=True):
            st.markdown(f"**{what}**, {size_in_words(fetched_bytes(what))}. {sentence}")
            if running and fetching.what == what:
                follow(standing)
            elif here[what]:
                st.markdown(":material/check_circle: Downloaded. The hash is correct.")
            elif st.button(label, icon=":material/download:", disabled=running, key=f"get-{what}"):
                fetching.start(what, visitor.name())
                st.rerun()


def standing() -> Standing | None:
    """Return the download's progress in size and time left; None after its end."""
    fetching = background()
    if not fetching.running:
        return None
    progress = fetching.progress
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:,.0f} s left"
    return Standing(progress.done, f"{progress.stage}{left}", fetching.stopping, fetching.stop)
