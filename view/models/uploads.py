"""A visitor's own models and texts on the page Models: list, delete, upload."""

from collections.abc import Callable

import streamlit as st

from view.shared import server, visitor
from view.shared.choices import in_url, shown_name
from view.shared.page import link_to, plain, show_error
from view.shared.received import FILES
from wlm.errors import WLMError
from wlm.hosting import hosting
from wlm.measuring.wording import counted, size_in_words
from wlm.uploads import checks, store
from wlm.uploads.store import Upload

LIMITS = (
    f"Weights: at most {checks.MOST_WEIGHTS_MB} MB and {checks.MOST_WEIGHTS / 1e6:.0f} million "
    f"numbers. Vocabulary or corpus: at most {checks.MOST_WORDS_MB} MB per file. Text: at most "
    f"{checks.MOST_TEXT_MB} MB. Each visitor can keep {store.MOST_OF_ONE} uploads. This server "
    f"deletes an upload after {store.HOURS} hours. Only you see it in your lists. Others "
    "who see a run of it see a number instead of its name."
)
OFF = (
    "This server does not accept uploads. To use your own models and texts, run the app on your "
    "own machine."
)


def show_uploads() -> None:
    """Show this visitor's uploads and the upload forms, or a sentence if uploads are off."""
    if not hosting().allows("uploading"):
        st.caption(OFF)
        return
    own = store.uploads_of(visitor.name())
    if own:
        st.header("Your uploads")
        for upload in own:
            show_upload(upload)
    st.header("Upload your own")
    show_last_upload(own)
    # The URL holds the tab: a list of uploads that grows above it does not reset it.
    model, text = st.tabs(["A model", "A text"], **in_url("upload"))
    with model:
        upload_model()
    with text:
        upload_text()
    st.caption(LIMITS)


def show_last_upload(own: list[Upload]) -> None:
    """Confirm the upload that this visitor made last, with a link that uses it."""
    last = st.session_state.get("last-upload")
    if (upload := next((upload for upload in own if upload.name == last), None)) is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        name = plain(shown_name(upload.kind, upload.name))
        st.success(f"Uploaded {name}. It is in your lists.", icon=":material/check_circle:")
        link_to("Compare", "Use it on Compare", {upload.kind: upload.name})


def show_upload(upload: Upload) -> None:
    """Show an upload's name and facts, and a button that deletes it after a question."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container():
            st.markdown(f"**{plain(upload.label)}**")
            hours = max(1, round(upload.hours_left))
            st.caption(
                f"{upload.kind.capitalize()}, {size_in_words(upload.size_bytes)} on disk, "
                f"{plain(upload.facts)}. Expires in {counted(hours, 'hour')}."
            )
        with st.popover("Delete", icon=":material/delete:", key=f"delete-{upload.name}"):
            st.markdown("Runs that used it stay. The upload cannot be restored.")
            if st.button("Delete for good", type="primary", key=f"delete-for-good-{upload.name}"):
                store.remove(visitor.name(), upload.name)
                # Names are never used again; this frees the memory.
                server.models().drop(upload.name)
                st.rerun()


def upload_model() -> None:
    """Draw the form for weights and their vocabulary."""
    turn = st.session_state.get("upload-turn", 0)
    with st.form("upload-model", border=False):  # its button waits until the files have arrived
        left, right = st.columns(2)
        weights = left.file_uploader(
            "Weights: a state_dict, a checkpoint, a whole module, or an export from this app",
            type=checks.WEIGHTS_SUFFIXES,
            max_upload_size=checks.MOST_WEIGHTS_MB,
            key=f"weights-{turn}",
        )
        words = right.file_uploader(
            "Vocabulary: one word per line, or train.txt, valid.txt, test.txt (not for a .zip)",
            type=checks.WORDS_SUFFIXES,
            accept_multiple_files=True,
            max_upload_size=checks.MOST_WORDS_MB,
            key=f"words-{turn}",
        )
        pressed = st.form_submit_button("Upload model", icon=":material/upload:")
    if pressed:
        keep(add_model, weights, *words, turn=turn)


def upload_text() -> None:
    """Draw the form for a text."""
    turn = st.session_state.get("upload-turn", 0)
    with st.form("upload-text", border=False):
        text = st.file_uploader(
            "Text: UTF-8, words separated by spaces as in WikiText-2",
            type=checks.TEXT_SUFFIXES,
            max_upload_size=checks.MOST_TEXT_MB,
            key=f"text-{turn}",
        )
        pressed = st.form_submit_button("Upload text", icon=":material/upload:")
    if pressed:
        keep(checks.add_text, text, turn=turn)


def add_model(owner: str, weights: checks.File, *words: checks.File) -> Upload:
    """Check and store an uploaded model."""
    return checks.add_model(owner, weights, words)


def keep(add: Callable[..., Upload], *chosen, turn: int) -> None:
    """Check and store an upload. After an error, the chosen files stay chosen."""
    try:
        files = [FILES.content_of(file) for file in chosen]
        with st.spinner("Checking …"):
            upload = add(visitor.name(), *files)
    except WLMError as error:
        show_error(str(error))
        return
    FILES.forget(files)
    st.session_state["upload-turn"] = turn + 1  # empties the uploaders
    st.session_state["last-upload"] = upload.name
    st.rerun()
