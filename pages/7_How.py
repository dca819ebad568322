"""How: the way a weight, an input and their sum become integers, with the numbers of one word."""

import streamlit as st

from view.how.bits import show_bits
from view.how.choose import choose_word
from view.how.steps import show_steps
from view.shared import server
from view.shared.choices import choose_model
from view.shared.page import errors_shown, start_page
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import Variant


def main() -> None:
    start_page("How")
    model = choose_model()
    st.title("How does int8 work?")
    st.markdown(
        "Follow one word through the model: a weight becomes an integer, an input becomes an "
        "integer, and their products add up. **Every number comes from this model.** Click a word, "
        "or press ← and →."
    )
    if reason := why_not(model):
        st.info(reason, icon=":material/info:")
        return
    chosen = choose_word(model)
    show_steps(chosen)
    show_bits(chosen)


def why_not(model: str) -> str:
    """Return why this page cannot explain a model here; empty if it can."""
    if own := server.imported_as(model):
        return f"This model came quantized, as {own.label}: its original weights are gone."
    return why_unavailable(Variant(lstm="int8", linear="int8"))


with errors_shown():
    main()
