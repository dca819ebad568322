"""Steps 1 to 4 of How: a weight, an input and their sum become integers, and the next word."""

import math

import streamlit as st
import torch

from view.how import charts
from view.how.selection import (
    FP32,
    Selection,
    next_words_of,
    ranges_of,
    static_grids,
    word_of,
)
from view.shared import server
from view.shared.cards import card
from view.shared.charts import Spec
from view.shared.histogram import histogram_of
from view.shared.next_words import chart_of_candidates, drawn, likeliest, shown_word
from view.shared.page import minus, plain
from wlm.catalog.registry import find_model
from wlm.explaining.integers import HALF, RoundedRow, highest_level
from wlm.explaining.reading import DECODER_WEIGHT
from wlm.explaining.snippets import lines_of
from wlm.paths import shown_path

SHOWN_PRODUCTS = 512  # as cells: a chart of more is slow
# One line is at most as wide as a phone.
FORMULAS = (
    r"q = \mathrm{round}\left(\frac{w}{s}\right), \quad s = \frac{\max |w|}{127.5}",
    r"q = \mathrm{round}\left(\frac{x}{s}\right) + z"
    "\n"
    r"s = \frac{\max x - \min x}{%d}"
    "\n"
    r"z = \mathrm{round}\left(\frac{-\min x}{s}\right)",
    r"y = \Big(\sum_i q^w_i q^x_i - z \sum_i q^w_i\Big) \, s_w \, s_x + b",
    r"p_i = \frac{e^{y_i}}{\sum_j e^{y_j}}",
    r"q = \mathrm{round}\left(\frac{w}{s}\right), \quad s = \frac{\max |w|}{2^{b-1} - \frac12}"
    "\n"
    r"-2^{b-1} \le q < 2^{b-1}",
)


def show_steps(chosen: Selection) -> None:
    """Show steps 1 to 4, each with its formula and its code."""
    for step, show in enumerate((show_weight, show_input, show_sum, show_next_word), start=1):
        show(chosen)
        show_lines(chosen, step)


def show_lines(chosen: Selection, step: int, bits: int = 4) -> None:
    """Show a step's formula and its code, which continues the code of the previous steps."""
    formula = FORMULAS[step - 1]
    show_formula(formula % highest_level() if "%d" in formula else formula)
    lines = lines_of(
        shown_path(find_model(chosen.model)),
        chosen.words[: chosen.at + 1],
        chosen.matrix,
        chosen.row,
        by_row=chosen.by_row,
        bits=bits,
        likely=min(10, server.config_of(chosen.model).ntoken),
    )
    with st.expander("Show the code", icon=":material/code:"):
        st.code(lines[step - 1], language="python")
        if step > 1:
            st.caption("This continues the code of the previous steps.")


def show_formula(text: str) -> None:
    """Show the lines of a formula in LaTeX."""
    with st.container(gap=None):
        for line in text.split("\n"):
            st.latex(line)


def show_weight(chosen: Selection) -> None:
    """Show a matrix's grid, and the weights of a row as they snap to its ticks."""
    row = word_of(chosen).row
    st.header("1. A weight becomes an integer", anchor="weight")
    st.markdown(about_step(chosen, row))
    step, spans, noise = st.columns(3)
    card(step, "Step", f"{row.step:.3g}", f"{row.largest:.3g} ÷ {HALF}")
    card(spans, "Levels that the row spans", f"{row.levels_used}", "of 256")
    gain = row.own_sqnr_db - row.sqnr_db
    card(
        noise,
        "Signal to rounding noise, dB",
        f"{row.sqnr_db:.1f}" if math.isfinite(row.sqnr_db) else "exact",
        None if chosen.by_row or not math.isfinite(gain) else f"{gain:+.1f} with its own scale",
        help="For the weights of this row. 6 dB are 1 bit.",
    )
    all_weights, few = st.columns(2)
    with all_weights:
        st.markdown(f"**All weights of {chosen.name}**, and the 256 ticks of their grid")
        st.vega_lite_chart(weights_chart(chosen), key="how-weights")
    with few:
        count = min(charts.SHOWN_WEIGHTS, len(row.weights))
        st.markdown(f"**The row's first {count} weights** snap to the nearest tick")
        st.vega_lite_chart(charts.snapping(row), key="how-snapping")
    with st.expander("Show every weight of the row", icon=":material/table_rows:"):
        number = st.column_config.NumberColumn
        st.dataframe(
            {
                "column": list(range(len(row.weights))),
                "weight": row.weights,
                "weight ÷ step": [weight / row.step for weight in row.weights],
                "integer": row.integers,
                "stored": [integer * row.step for integer in row.integers],
                "error": [row.error(column) for column in range(len(row.weights))],
            },
            hide_index=True,
            column_config={
                "weight": number(format="%.6f"),
                "weight ÷ step": number(format="%.3f"),
                "stored": number(format="%.6f"),
                "error": number(format="%+.6f"),
            },
        )


def about_step(chosen: Selection, row: RoundedRow) -> str:
    """Return sentences on what sets the step, and its cost."""
    name, this = chosen.name, plain(chosen.label(row.row))
    if chosen.by_row:
        return (
            f"Each row has its own step. For the row of **{this}**, the step is its largest "
            f"weight, {row.largest:.3g}, ÷ {HALF}. A row without large weights gets a finer grid."
        )
    largest = plain(chosen.label(row.largest_row))
    cost = f"The row of **{this}** spans {row.levels_used} of the 256 levels."
    if row.largest_row == row.row:
        cost = f"That weight is in this row, the row of **{this}**."
    return (
        f"All of {name} shares one step: its largest weight, {row.largest:.3g} in the row of "
        f"**{largest}**, ÷ {HALF}. {cost} One extreme weight costs all other rows precision."
    )


def weights_chart(chosen: Selection) -> Spec:
    """Return the chart of all weights over their grid."""
    histogram = histogram_of(chosen.model, chosen.int8, chosen.matrix)
    return charts.weights_and_row(histogram, word_of(chosen).row)


def show_input(chosen: Selection) -> None:
    """Show the range of a matrix's input at each word, and the resulting grids."""
    word, static = word_of(chosen), static_grids(chosen.model)
    fixed, grid, count = static.grids[chosen.matrix], word.grid, len(word.input)
    low, high = (minus(f"{end:.3f}") for end in (grid.low, grid.high))
    st.header("2. An input becomes an integer, on the fly", anchor="input")
    st.markdown(
        f"At **{plain(shown_word(chosen.word))}**, what enters {chosen.name} goes from {low} to "
        f"{high}. PyTorch divides this range into {grid.highest} steps and puts 0 at the integer "
        f"{grid.zero_point}. **The next word has its own range**, found when the model reads it: "
        "that is what *dynamic* means."
    )
    if grid.highest < 255:
        st.markdown(
            f"**Why {grid.highest} steps, if 8 bits make 255?** On this machine, PyTorch gives "
            "inputs 7 of their 8 bits: its instructions add two products in 16 bits, and two "
            "products of full 8-bit numbers could overflow."
        )
    step, zero, cost = st.columns(3)
    card(
        step,
        "Step at this word",
        f"{grid.step:.3g}",
        f"{grid.high - grid.low:.3f} ÷ {grid.highest}",
    )
    card(zero, "Zero point", f"{grid.zero_point}", "the integer that stands for 0")
    card(
        cost,
        "A fixed range would cut off",
        f"{fixed.outside(torch.tensor(word.input))} of {count}",
        f"step {fixed.step / grid.step:.2f} times as wide",
        help=f"Static quantization fixes the range beforehand: here fp32's range on {static.text}.",
    )
    every, this = st.columns(2)
    with every:
        st.markdown("**Lowest to highest value at each word**")
        st.vega_lite_chart(ranges_chart(chosen), key="how-ranges")
    with this:
        st.markdown(f"**The {count} values at this word**, and the values of two grids")
        grids = charts.on_grids(list(word.input), grid.ticks(), fixed.ticks())
        st.vega_lite_chart(grids, key="how-grids")


def ranges_chart(chosen: Selection) -> Spec:
    """Return the chart of the input's range at each word."""
    static = static_grids(chosen.model).grids[chosen.matrix]
    ends = static.low, static.high
    return charts.ranges(chosen.words, ranges_of(chosen), chosen.at, ends)


def show_sum(chosen: Selection) -> None:
    """Show the products, how they add up, and how their sum becomes a float."""
    word = word_of(chosen)
    found, what = word.sum, "Logit" if chosen.matrix == DECODER_WEIGHT else "Share of the gate"
    count, shown = len(found.weights), min(SHOWN_PRODUCTS, len(found.weights))
    total = minus(f"{found.total:,}")
    st.header("3. They multiply in integers", anchor="sum")
    st.markdown(
        f"The row of **{plain(chosen.label(chosen.row))}** times the input at "
        f"**{plain(shown_word(chosen.word))}**: {count} products of two integers add up to "
        f"**{total}**. Subtract the zero point's part, multiply by both steps, add the bias: the "
        "result is a float."
    )
    here, pytorch, fp32 = st.columns(3)
    card(here, f"{what}, by this arithmetic", f"{found.value:.5f}")
    card(
        pytorch,
        "By PyTorch's int8",
        f"{word.pytorch:.5f}",
        f"{abs(found.value - word.pytorch):.0e} apart",
        help="The output of the quantized module for the same input.",
    )
    card(
        fp32,
        "By fp32",
        f"{word.fp32:.5f}",
        f"{found.value - word.fp32:+.4f} in int8",
        help="fp32 reads the same words, with its own hidden state.",
    )
    show_formula(formula(chosen))
    cells, line = st.columns(2)
    with cells:
        some = "" if shown == count else f", the first {shown}"
        st.markdown(f"**{count} products**{some}: point at one to see its numbers")
        weights, inputs = found.weights[:SHOWN_PRODUCTS], found.inputs[:SHOWN_PRODUCTS]
        st.vega_lite_chart(charts.products(weights, inputs), key="how-products")
    with line:
        st.markdown("**They add up**, in a 32-bit integer")
        chart = charts.running_sum(found.running, chosen.int8.label)
        st.vega_lite_chart(chart, key="how-running")


def formula(chosen: Selection) -> str:
    """Return the sum with its numbers, as two lines of LaTeX."""

    def whole(number: int) -> str:
        return f"{number:,}".replace(",", "{,}")

    found = word_of(chosen).sum
    offset = f"{found.zero_point} \\cdot ({whole(sum(found.weights))})"
    return (
        rf"\big({whole(found.total)} - {offset}\big)"
        rf" \cdot {found.weight_step:.6f} \cdot {found.input_step:.6f}"
        "\n"
        rf"+ \; {found.bias:.4f} = {found.value:.5f}"
    )


def show_next_word(chosen: Selection) -> None:
    """Show the likeliest next words under fp32 and int8, and what each draws."""
    candidates, labels = next_words_of(chosen), [FP32.label, chosen.int8.label]
    st.header("4. The next word", anchor="next")
    best, written = (
        [f"**{plain(shown_word(word))}**" for word in pick(candidates)]
        for pick in (likeliest, drawn)
    )
    likely = (
        f"{best[0]} stays the likeliest next word"
        if best[0] == best[1]
        else f"the likeliest next word changes from {best[0]} to {best[1]}"
    )
    draws = (
        f"both write {written[0]}"
        if written[0] == written[1]
        else f"fp32 writes {written[0]}, int8 writes {written[1]}"
    )
    most = max(abs(fp32 - int8) for fp32, int8 in (word.probabilities for word in candidates))
    st.markdown(
        f"After **{plain(shown_word(chosen.word))}**, {likely}. No probability in this chart moves "
        f"by more than {100 * most:.2f} percentage points. With the same random numbers {draws}."
    )
    st.vega_lite_chart(chart_of_candidates(candidates, labels), key="how-next")
