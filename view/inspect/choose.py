"""The menu of variants on Inspect: six of them, or all."""

import streamlit as st

from view.shared.choices import choose_variants, in_url, offered_variants
from wlm.quantization.variant import Variant

# Each stores some part in its own way; the other variants mix these parts or change the engine.
MAIN = (
    "fp32",
    "int8",
    "pytorch:lstm=int8,linear=int8,embedding=int8",
    "pytorch:lstm=bf16,linear=bf16,embedding=bf16",
    "onnxruntime:",
    "onnxruntime:lstm=int8,linear=int8,embedding=int8",
)


def choose(model: str) -> list[Variant]:
    """Draw the menu and return the chosen variants."""
    offered = offered_variants(model)
    menu, more = st.columns([3, 1], vertical_alignment="bottom")
    every = more.toggle("List all variants", **in_url("every"))
    listed = [variant for variant in offered if every or str(variant) in MAIN] or offered
    with menu:
        return choose_variants("Variants", "variants", listed, offered[:2])
