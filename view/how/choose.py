"""The controls of How: a text and one of its words, a matrix and one of its rows."""

import streamlit as st

from view.how.selection import Selection, default_row, matrices_of, words_read
from view.shared import server
from view.shared.choices import in_url
from view.shared.next_words import shown_word
from view.shared.page import plain, show_error
from wlm.errors import SettingError, check_range, parse_whole
from wlm.inspecting.parts import matrix_label

DEFAULT_PROMPT = "The old bridge over the river was built of"
MOST_WORDS = 24
PER_TENSOR, PER_ROW = "Per tensor", "Per row"
OLD_SCALES = {"One scale": PER_TENSOR, "One a row": PER_ROW}  # links may still have these


def choose_word(model: str) -> Selection:
    """Draw the controls and return the selection. A row out of range is reported and replaced.
    Raises TextError."""
    if (old := st.query_params.get("scale")) in OLD_SCALES:
        st.query_params["scale"] = OLD_SCALES[old]
        st.rerun()  # widgets read the URL at the start of a run
    names = {matrix_label(name): name for name in matrices_of(model)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prompt = st.text_input(
            "Text",
            DEFAULT_PROMPT,
            max_chars=300,
            width=300,
            **in_url("prompt"),
            help=f"The model reads the first {MOST_WORDS} words, one after the other.",
        )
        label = st.selectbox(
            "Weights",
            list(names),
            index=len(names) - 1,
            width=150,
            on_change=forget_row,
            **in_url("matrix"),
            help="The matrix whose numbers this page shows.",
        )
        scale = st.segmented_control(
            "Scale",
            [PER_TENSOR, PER_ROW],
            default=PER_TENSOR,
            required=True,
            **in_url("scale"),
            help="Per tensor: one scale for the whole matrix, as in the tutorial. Per row: one "
            "scale for each row of the matrix.",
        )
        row = st.number_input(
            "Row",
            min_value=0,
            value=None,
            placeholder="auto",
            width=120,
            **in_url("row"),
            help="If empty: in the decoder the row of the likeliest next word, in an LSTM matrix "
            "the row with the largest weight.",
        )
    matrix = names[label]
    # A vocabulary may lack words of the default text, and <unk> too: leave those words out.
    text = prompt.strip() or DEFAULT_PROMPT
    words = words_read(model, text, known=text == DEFAULT_PROMPT)[:MOST_WORDS]
    at = choose_position(words)
    return Selection(
        model, words, at, matrix, valid_row(row, model, words, at, matrix), scale == PER_ROW
    )


def valid_row(row: int | None, model: str, words: tuple[str, ...], at: int, matrix: str) -> int:
    """Return the chosen row of a matrix. If there is none, or it is out of range, which an error
    reports, return the row to show first."""
    if row is not None:
        try:
            last = server.config_of(model).shapes()[matrix][0] - 1
            check_range("row", row, 0, last, hint=f"the rows of {matrix_label(matrix)}")
            return row
        except SettingError as error:
            show_error(str(error))
    return default_row(model, words, at, matrix)


def choose_position(words: tuple[str, ...]) -> int:
    """Draw the words as buttons, with buttons for the previous and the next word; return the chosen
    position, from 0. The last word is chosen first."""
    chosen = parse_whole(st.query_params.get("at", ""))
    at = min(max(1, chosen or len(words)), len(words)) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for icon, key, position, name in (
            (":material/arrow_back:", "Left", at - 1, "Previous word"),
            (":material/arrow_forward:", "Right", at + 1, "Next word"),
        ):
            st.button(
                name,
                key=f"how-{key}",
                icon=icon,
                shortcut=key,
                disabled=not 0 <= position < len(words),
                on_click=go_to,
                args=(position,),
            )
        for position, word in enumerate(words):
            st.button(
                plain(shown_word(word)),
                key=f"how-word-{position}",
                type="primary" if position == at else "tertiary",
                on_click=go_to,
                args=(position,),
            )
    return at


def go_to(position: int) -> None:
    """Go to a word: a callback, because the buttons depend on the position."""
    st.query_params["at"] = str(position + 1)


def forget_row() -> None:
    """Clear the row: another matrix has other rows."""
    st.session_state["row"] = None
