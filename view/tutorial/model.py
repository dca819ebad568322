"""The first step of the tour: the model to scale, and a word that flows through it."""

import streamlit as st

from view.compare.living import ORDER, clicked_part, flow_of, scale_chart, show_flow
from view.how.choose import DEFAULT_PROMPT
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.quantization.variant import Variant
from wlm.text.wikitext import tokenize


def show_model(presenting: bool) -> None:
    """Show the model to scale, its parts in int8 once they are clicked; to a reader also a word on
    its way through it."""
    rounded = st.session_state.setdefault("tour-rounded", frozenset())
    variant = Variant(**{part: "int8" if part in rounded else "fp32" for part in ORDER})
    # Another key for another state or size: a click is never told twice, nor a height kept.
    key = f"tour-model-{variant}-{presenting}"
    chart = scale_chart(DEFAULT_MODEL, variant)
    st.vega_lite_chart(chart, key=key, on_select=lambda: turn_part(key))
    if not presenting:
        st.caption("A square's area is its bytes; click one to round its weights to int8.")
        words = tuple(tokenize(DEFAULT_PROMPT))
        show_flow(flow_of(DEFAULT_MODEL, variant, words), words[-1], variant.label)


def turn_part(key: str) -> None:
    """Round the weights of the part that was clicked, or leave them as they are again."""
    if part := clicked_part(key):
        st.session_state["tour-rounded"] ^= {part}
