"""A visitor's own models and texts on the page Models: listed, removed, and brought."""

from collections.abc import Callable

import streamlit as st

from view.shared import server, visitor
from view.shared.choices import shown_name
from view.shared.page import plain, show_error
from wlm.catalog import upload_checks as checks
from wlm.catalog import uploads
from wlm.catalog.uploads import Upload
from wlm.errors import UploadError, WLMError
from wlm.hosting import hosting
from wlm.measuring.wording import size_in_words

LIMITS = (
    f"Weights: at most {checks.MOST_WEIGHTS_MB} MB and {checks.MOST_WEIGHTS / 1e6:.0f} million "
    f"numbers. Vocabulary or corpus: {checks.MOST_WORDS_MB} MB a file. Text: "
    f"{checks.MOST_TEXT_MB} MB. {uploads.MOST_OF_ONE} uploads each, kept for {uploads.HOURS} "
    "hours on this server, in your lists only. Runs made with one are in everyone's list of runs, "
    "under a number in place of its name, and without its contents."
)
OFF = (
    "Models and texts of your own are switched off on this server: bring them to the app on your "
    "own machine."
)


def show_uploads() -> None:
    """Show this visitor's uploads, and the forms that take one more, or that there is none."""
    if not hosting().allows("uploading"):
        st.caption(OFF)
        return
    own = uploads.uploads_of(visitor.name())
    if own:
        st.subheader("Yours")
        for upload in own:
            show_upload(upload)
    st.subheader("Bring your own")
    model, text = st.tabs(["A model", "A text"])
    with model:
        bring_model()
    with text:
        bring_text()
    st.caption(LIMITS)


def show_upload(upload: Upload) -> None:
    """Show one upload: its names, facts, and a button to remove it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container():
            st.markdown(f"**{plain(upload.label)}**")
            st.caption(
                f"{upload.kind.capitalize()}, {size_in_words(upload.size_bytes)} on disk, "
                f"{plain(upload.facts)}. "
                f"Removed by itself in {max(1, round(upload.hours_left))} h."
            )
        if st.button("Remove", icon=":material/delete:", key=f"remove-{upload.name}"):
            uploads.remove(visitor.name(), upload.name)
            # Names are never used again; this frees the memory.
            server.models().drop(upload.name)
            st.rerun()


def bring_model() -> None:
    """Draw what takes weights and their vocabulary."""
    turn = st.session_state.get("upload-turn", 0)
    with st.form("bring-model", border=False):  # its button waits until the files have come
        left, right = st.columns(2)
        weights = left.file_uploader(
            "Weights: a state_dict, a checkpoint, a whole module, or what was taken from here",
            type=[suffix.removeprefix(".") for suffix in checks.WEIGHTS_SUFFIXES],
            max_upload_size=checks.MOST_WEIGHTS_MB,
            key=f"weights-{turn}",
        )
        words = right.file_uploader(
            "Vocabulary: a word a line, or train.txt, valid.txt, test.txt; a .zip has its own",
            type=[suffix.removeprefix(".") for suffix in checks.WORDS_SUFFIXES],
            accept_multiple_files=True,
            max_upload_size=checks.MOST_WORDS_MB,
            key=f"words-{turn}",
        )
        pressed = st.form_submit_button("Check and keep the model", icon=":material/upload:")
    if pressed:
        keep(checks.add_model, weights, words, turn=turn)


def bring_text() -> None:
    """Draw what takes a text."""
    turn = st.session_state.get("upload-turn", 0)
    with st.form("bring-text", border=False):
        text = st.file_uploader(
            "Text: UTF-8, words separated by spaces as in WikiText-2",
            type=[suffix.removeprefix(".") for suffix in checks.TEXT_SUFFIXES],
            max_upload_size=checks.MOST_TEXT_MB,
            key=f"text-{turn}",
        )
        pressed = st.form_submit_button("Check and keep the text", icon=":material/upload:")
    if pressed:
        keep(checks.add_text, text, turn=turn)


def keep(add: Callable[..., Upload], file, *more, turn: int) -> None:
    """Check and keep an upload; on an error the chosen files stay chosen."""
    try:
        if file is None:
            raise UploadError("a file must be chosen first, got none")
        with st.spinner("Checking …"):
            upload = add(visitor.name(), file, *more)
    except WLMError as error:
        show_error(str(error))
        return
    st.session_state["upload-turn"] = turn + 1  # empty uploaders, and the files' memory freed
    called = plain(shown_name(upload.kind, upload.name))
    st.toast(f"Kept: in your lists it is {called}.", icon=":material/check_circle:")
    st.rerun()
