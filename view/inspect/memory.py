"""The memory that each variant takes, next to the size of its file."""

from collections.abc import Sequence

import streamlit as st

from view.shared.cards import card, columns
from view.shared.memory import measured_memory, offer_memory
from wlm.measuring.wording import repacked
from wlm.quantization.variant import Variant


def show_memory(model: str, variants: Sequence[Variant], sizes: Sequence[int]) -> None:
    """Show the memory of the variants that were measured, and offer to measure the others; `sizes`
    are the bytes of the files."""
    known, explanations = measured_memory(model, variants), []
    if known:
        st.markdown("**Memory added to a process** by each variant")
        for column, variant, size in zip(columns(len(variants)), variants, sizes, strict=True):
            if memory := known.get(variant):
                card(
                    column,
                    variant.label,
                    f"{memory.added_bytes / 1e6:,.0f} MB",
                    f"{memory.added_bytes / size:.1f} times the file",
                    help="Measured in a new process that prepared the variant and read 100 tokens. "
                    f"The peak while preparing was {memory.peak_bytes / 1e6:,.0f} MB.",
                )
                name, added = str(variant), memory.added_bytes
                explanations.append(repacked(name, variant.label, added, size))
    for sentence in filter(None, explanations):
        st.markdown(sentence)
    offer_memory(model, variants)
