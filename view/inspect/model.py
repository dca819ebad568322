"""A model as diagrams, one a variant."""

import streamlit as st

from view.inspect.bytes import parts_of
from view.inspect.diagram import diagram
from view.shared import server
from view.shared.cards import columns
from wlm.inspecting.roofline import precisions
from wlm.measuring.evaluate import DEFAULT_BPTT
from wlm.measuring.wording import size_in_words
from wlm.quantization.variant import Variant, describe


def show_model(model: str, variants: list[Variant]) -> None:
    """Show the parts of each variant as a diagram, coloured by precision."""
    config = server.config_of(model)
    for column, variant in zip(columns(len(variants)), variants, strict=True):
        sizes = parts_of(model, variant)
        with column:
            st.markdown(f"**{variant.label}**, {size_in_words(sum(sizes.values()))}")
            st.graphviz_chart(diagram(config, precisions(variant), sizes, DEFAULT_BPTT))
            st.caption(describe(variant))
    st.caption(
        "In a box: precision, shapes of the weights, and size in the file. Beside an arrow: what "
        f"is handed on for a chunk of {DEFAULT_BPTT} words."
    )
