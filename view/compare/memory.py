"""The memory that variants add to a process: a card, and bars next to the size of their files."""

import streamlit as st

from view.compare.bars import bars_with_references
from view.shared.cards import card, change_of
from view.shared.charts import Spec, draw_chart
from wlm.measuring.wording import memory_sentences

HEADING = "Memory, MB"


def memory_card(place, chosen: dict, baseline: dict, *, of: str = "", large: bool = False) -> None:
    """Draw the memory of a result's row and its change from the baseline's row, or a dash until
    both are measured. `of` is the variant's label, to show on the card."""
    own, other = chosen.get("memory"), baseline.get("memory")
    if not (own and other):
        card(place, HEADING, "–", "not measured yet", of=of, large=large)
        return
    card(
        place,
        HEADING,
        f"{own['added_bytes'] / 1e6:,.0f}",
        of=of,
        large=large,
        **change_of(own["added_bytes"], max(1, other["added_bytes"])),
        delta_description=f"against {baseline['label']}'s {other['added_bytes'] / 1e6:,.0f}",
        help="What the variant adds to the memory of a new process, after it was prepared and has "
        f"read 100 tokens. The peak while preparing is {own['peak_bytes'] / 1e6:,.0f} MB.",
    )


def show_memory(rows: list[dict]) -> None:
    """Show the memory of results' rows in bars, each with its peak, and what needs an
    explanation."""
    st.markdown("**Memory added to a process**; the line is the peak while preparing")
    draw_chart(memory_bars(rows), "chart-memory")
    _, *explanations = memory_sentences(rows)
    for sentence in explanations:
        st.caption(sentence)
    if rows[0]["memory"]["measure"] != "USS":
        st.caption("Resident memory: this system does not report private memory.")


def memory_bars(rows: list[dict]) -> Spec:
    """Return the memory of results' rows in bars, each with its peak."""
    return bars_with_references(
        [row["label"] for row in rows],
        [row["memory"]["added_bytes"] / 1e6 for row in rows],
        [row["memory"]["peak_bytes"] / 1e6 for row in rows],
        title="memory (MB)",
        format=".0f",
        reference_name="peak",
    )
