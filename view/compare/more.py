"""What Compare measures on request, after the times: memory, and agreement of the predictions."""

import streamlit as st

from view.compare.agreement import show_agreement, show_furthest
from view.compare.memory import show_memory
from wlm.measuring.agreement import sentence

LABEL = "Memory and agreement"  # of the switch
COLUMNS = (
    ("memory, MB", "%.0f", "memory", "added_bytes", 1e6),
    ("peak, MB", "%.0f", "memory", "peak_bytes", 1e6),
    ("same word", "%.1f%%", "agreement", "same_word", 0.01),
    ("KL, nats", "%.5f", "agreement", "kl_mean", 1),
)


def show_more(result: dict) -> None:
    """Show the memory and the agreement in a comparison's JSON, as far as they were measured."""
    rows = result["results"]
    remembered = [row for row in rows if row.get("memory")]
    agreeing = [row for row in rows if row.get("agreement")]
    if not (remembered or agreeing):
        return
    st.header(LABEL, anchor="more")
    said = (sentence(row["agreement"], row["label"], row["loss_delta"]) for row in agreeing)
    st.markdown("  \n".join(said))
    left, right = st.columns(2)
    if remembered:
        with left:
            show_memory(remembered)
    if agreeing:
        with right:
            show_agreement(agreeing, rows[0]["label"])
        show_furthest(agreeing, rows[0], result["protocol"]["model"])


def offer_more(result: dict) -> None:
    """Tell how to measure memory and agreement if a comparison's JSON has neither."""
    if not more_columns(result["results"]):
        st.caption(
            ":material/memory: How much memory does each variant take, and does it predict the "
            f"same words? Switch on **{LABEL}** above and press **Run**."
        )


def more_columns(rows: list[dict]) -> dict[str, tuple[str, list[float | None]]]:
    """Return the memory and agreement of rows, if they were measured, as columns of a table: the
    title with the format and the values."""
    found = {}
    for title, format, measured, name, scale in COLUMNS:
        values = [row[measured][name] / scale if row.get(measured) else None for row in rows]
        if any(value is not None for value in values):
            found[title] = format, values
    return found
