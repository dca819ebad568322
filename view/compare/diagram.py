"""The model to scale, with its parts as the switches, and a word that flows through it."""

import streamlit as st

from view.compare.choose import SWITCHES
from view.shared import server
from view.shared.flow import flow_of, show_flow
from view.shared.model_drawing import draw_model
from view.shared.page import errors_shown
from wlm.quantization.variant import Variant
from wlm.text.wikitext import tokenize

DEFAULT_WORDS = "The old bridge over the river"
MOST_WORDS = 24


def show_diagram(model: str) -> None:
    """Show the model that the switches describe, to scale. A click on a part turns its switch."""
    if server.imported_as(model):
        return  # this model has no switches
    variant = Variant(**{part: "int8" if st.session_state[part] else "fp32" for part in SWITCHES})
    st.header("The model, to scale", anchor="to-scale")
    st.markdown(
        "The area of a square is its size; dashed is its size in fp32. **Click a part to turn int8 "
        "on or off.**"
    )
    draw_model(model, variant, "living", turn_switch)
    send_word(model, variant)


def turn_switch(part: str) -> None:
    """Turn a part's switch."""
    st.session_state[part] = not st.session_state[part]


@st.fragment
@errors_shown()
def send_word(model: str, variant: Variant) -> None:
    """Send a word through the variant when the visitor asks. Only then is the model loaded."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Words", DEFAULT_WORDS, max_chars=300, width=300, key="living-words")
        if st.button("Send the last word through", icon=":material/arrow_forward:"):
            st.session_state["living-sent"] = st.session_state.get("living-sent", 0) + 1
    if sent := st.session_state.get("living-sent"):
        words = tuple(tokenize(text))[-MOST_WORDS:] or tuple(tokenize(DEFAULT_WORDS))
        show_flow(flow_of(model, variant, words), words[-1], variant.label, sent)
