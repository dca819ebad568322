"""Step 1: a weight becomes an integer."""

import math

import streamlit as st

from view.how import charts
from view.how.asked import Asked
from view.shared.cards import card
from view.shared.page import plain
from wlm.explaining.rows import HALF, RoundedRow

SHOWN = 8  # weights between their ticks


def show_weight(asked: Asked) -> None:
    """Show a matrix's grid, and a row's weights as they snap to its ticks."""
    row = asked.in_numbers().row
    st.subheader("1. A weight becomes an integer", anchor="weight")
    st.markdown(about(asked, row))
    step, spans, noise = st.columns(3)
    card(step, "Step", f"{row.step:.3g}", f"{row.largest:.3g} ÷ {HALF}")
    card(spans, "Levels that the row spans", f"{row.levels_used}", "of 256")
    gain = row.own_sqnr_db - row.sqnr_db
    card(
        noise,
        "Signal to rounding noise, dB",
        _decibels(row.sqnr_db),
        None if asked.by_row or not math.isfinite(gain) else f"{gain:+.1f} with a scale of its own",
        help="Of this row's weights. 6 dB are one bit.",
    )
    all_weights, few = st.columns(2)
    with all_weights:
        st.markdown(f"**All weights of {asked.name}**, and the 256 ticks of their grid")
        st.vega_lite_chart(weights_chart(asked), key="how-weights")
    with few:
        st.markdown(f"**The row's first {min(SHOWN, len(row.weights))} weights** snap to a tick")
        st.vega_lite_chart(charts.snapping(snaps(row)), key="how-snapping")
    with st.expander("Every weight of the row", icon=":material/table_rows:"):
        st.dataframe(
            {
                "column": list(range(len(row.weights))),
                "weight": row.weights,
                "weight ÷ step": [each / row.step for each in row.weights],
                "integer": row.integers,
                "stored": [each * row.step for each in row.integers],
                "error": [row.error(i) for i in range(len(row.weights))],
            },
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format=format)
                for name, format in (
                    ("weight", "%.6f"),
                    ("weight ÷ step", "%.3f"),
                    ("stored", "%.6f"),
                    ("error", "%+.6f"),
                )
            },
        )


def about(asked: Asked, row: RoundedRow) -> str:
    """Return in words what sets the step, and what that costs."""
    name, this = asked.name, plain(asked.label(row.row))
    if asked.by_row:
        return (
            f"Each row has a step of its own: here, the row of **{this}**, its largest weight "
            f"{row.largest:.3g} ÷ {HALF}. A row without large weights gets a finer grid."
        )
    largest = plain(asked.label(row.largest_row))
    cost = f"The row of **{this}** spans {row.levels_used} of the 256 levels"
    if row.largest_row == row.row:
        cost = f"That is in this very row, the row of **{this}**"
    return (
        f"One step for all of {name}: its largest weight, {row.largest:.3g} in the row of "
        f"**{largest}**, ÷ {HALF}. {cost}: what is extreme in one row costs all others precision."
    )


def weights_chart(asked: Asked):
    """Return the chart of all weights over their grid."""
    row = asked.in_numbers().row
    span = min(row.weights), max(row.weights)
    return charts.weights_on_ticks(asked.histogram(), span, row.largest)


def snaps(row: RoundedRow) -> list[dict]:
    """Return the row's first weights as the chart has them: each between its two ticks."""
    rows = []
    for weight, integer in list(zip(row.weights, row.integers, strict=True))[:SHOWN]:
        steps = weight / row.step
        below = math.floor(steps)
        rows.append(
            {
                "name": f"{weight:.4f} ÷ step = {steps:.2f}".replace("-", "−"),
                "below": below,
                "above": below + 1,
                "place": steps - below,
                "taken": integer,
            }
        )
    return rows


def _decibels(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "exact"
