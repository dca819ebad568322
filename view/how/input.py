"""Step 2: an input becomes an integer, on the fly."""

import streamlit as st
import torch

from view.how import charts
from view.how.asked import Asked
from view.shared.cards import card
from view.shared.page import plain


def show_input(asked: Asked) -> None:
    """Show the range of a matrix's input at each word, and the grids made of it."""
    word, static = asked.in_numbers(), asked.static_grid()
    grid, count = word.grid, len(word.input)
    st.subheader("2. An input becomes an integer, on the fly", anchor="input")
    st.markdown(
        f"At **{plain(asked.word)}**, what enters {asked.name} goes from "
        f"{_signed(grid.low)} to {_signed(grid.high)}: divided into {grid.highest} steps, 0 at the "
        f"integer {grid.zero_point}. **The next word has a range of its own**, found when it is "
        "read: that is what *dynamic* means."
    )
    step, zero, cost = st.columns(3)
    width = grid.high - grid.low
    card(step, "Step at this word", f"{grid.step:.3g}", f"{width:.3f} ÷ {grid.highest}")
    card(zero, "Zero point", f"{grid.zero_point}", "the integer that stands for 0")
    clipped = static.outside(torch.tensor(word.input))
    card(
        cost,
        "A fixed range would cut off",
        f"{clipped} of {count}",
        f"step {static.step / grid.step:.2f} times as wide",
        help="Static quantization fixes the range beforehand: here from fp32's on "
        f"{asked.static().words}.",
    )
    every, this = st.columns(2)
    with every:
        st.markdown("**Lowest to highest value at each word**")
        st.vega_lite_chart(ranges_chart(asked), key="how-ranges")
    with this:
        st.markdown(f"**The {count} values at this word**, and what two grids can hold of them")
        st.vega_lite_chart(grids_chart(asked), key="how-grids")


def ranges_chart(asked: Asked):
    """Return the chart of the input's ranges, word by word."""
    static = asked.static_grid()
    rows = [
        {"word": word, "low": low, "high": high, "chosen": place == asked.at}
        for place, (word, (low, high)) in enumerate(zip(asked.words, asked.ranges(), strict=True))
    ]
    return charts.ranges(rows, (static.low, static.high))


def grids_chart(asked: Asked):
    """Return the chart of this word's input over its own grid and the fixed one."""
    word, static = asked.in_numbers(), asked.static_grid()
    return charts.on_grids(list(word.input), word.grid.ticks(), static.ticks())


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
