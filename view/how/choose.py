"""What How has one choose: a text and one of its words, a matrix and one of its rows."""

import streamlit as st

from view.how.asked import Asked
from view.how.numbers import matrices_of, rows_of, telling_row, words_read
from view.shared.choices import in_url
from view.shared.page import plain
from wlm.errors import check_range, parse_whole
from wlm.inspecting.parts import matrix_label
from wlm.text.vocabulary import EOS

DEFAULT_PROMPT = "The old bridge over the river was built of"
MOST_WORDS = 24
ONE, BY_ROW = "One scale", "One a row"


def choose_word(model: str) -> Asked:
    """Draw the controls and return what is asked. Raises SettingError."""
    names = {matrix_label(name): name for name in matrices_of(model)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prompt = st.text_input(
            "Text",
            DEFAULT_PROMPT,
            max_chars=300,
            width=300,
            **in_url("prompt"),
            help=f"Its first {MOST_WORDS} words are read, one after the other.",
        )
        label = st.selectbox(
            "Weights",
            list(names),
            index=len(names) - 1,
            width=150,
            on_change=forget_row,
            **in_url("matrix"),
            help="The matrix whose numbers are shown.",
        )
        scale = st.segmented_control(
            "Scale",
            [ONE, BY_ROW],
            default=ONE,
            required=True,
            **in_url("scale"),
            help="One scale for the whole matrix, the tutorial's way, or one for each of its rows.",
        )
        row = st.number_input(
            "Row",
            min_value=0,
            value=None,
            placeholder="auto",
            width=120,
            **in_url("row"),
            help="Left empty: the decoder's row of the likeliest next word; of an LSTM's weights "
            "the row with the largest one.",
        )
    matrix = names[label]
    if row is not None:
        check_range("row", row, 0, rows_of(model, matrix) - 1, hint=f"the rows of {label}")
    # A vocabulary without <unk> cannot read other words: nobody has asked for those of the default.
    asked = prompt.strip() or DEFAULT_PROMPT
    words = words_read(model, asked, known=asked == DEFAULT_PROMPT)[:MOST_WORDS]
    at = choose_place(words)
    if row is None:
        row = telling_row(model, words, at, matrix)
    return Asked(model, words, at, matrix, row, scale == BY_ROW)


def choose_place(words: tuple[str, ...]) -> int:
    """Draw the words, and buttons for the next and the one before; return the chosen one's place,
    from 0: at first the last."""
    chosen = st.session_state.setdefault("how-at", parse_whole(st.query_params.get("at", "")))
    at = min(max(1, chosen or len(words)), len(words)) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for icon, key, to, help in (
            (":material/arrow_back:", "Left", at - 1, "The word before"),
            (":material/arrow_forward:", "Right", at + 1, "The next word"),
        ):
            there = 0 <= to < len(words)
            st.button(
                "",
                key=f"how-{key}",
                icon=icon,
                shortcut=key,
                disabled=not there,
                on_click=go_to,
                args=(to,),
                help=help,
            )
        for place, word in enumerate(words):
            st.button(
                "¶" if word == EOS else plain(word),
                key=f"how-word-{place}",
                type="primary" if place == at else "tertiary",
                on_click=go_to,
                args=(place,),
            )
    return at


def go_to(place: int) -> None:
    """Go to a word: a callback, since the buttons depend on the place."""
    st.session_state["how-at"] = place + 1
    st.query_params["at"] = str(place + 1)


def forget_row() -> None:
    """Choose the row anew: another matrix has others."""
    st.session_state["row"] = None
