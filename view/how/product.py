"""Step 3: a row and an input multiply in integers."""

import streamlit as st

from view.how import charts
from view.how.asked import Asked
from view.shared.cards import card
from view.shared.page import plain
from wlm.explaining.reading import DECODER_WEIGHT

SHOWN = 512  # products as cells: a chart of more is slow


def show_product(asked: Asked) -> None:
    """Show the products, how they add up, and what makes a float of their sum."""
    word = asked.in_numbers()
    found, what = word.sum, "Logit" if asked.matrix == DECODER_WEIGHT else "Share of the gate"
    count, shown = len(found.weights), min(SHOWN, len(found.weights))
    total = f"{found.total:,}".replace("-", "−")
    st.subheader("3. They multiply in integers", anchor="sum")
    st.markdown(
        f"The row of **{plain(asked.label(word.row.row))}** times the input at "
        f"**{plain(asked.word)}**: {count} products of two integers add up to "
        f"**{total}**. The zero point is taken off, two steps and the bias make it a float."
    )
    here, pytorch, fp32 = st.columns(3)
    card(here, f"{what}, by this arithmetic", f"{found.value:.5f}")
    card(
        pytorch,
        "By PyTorch's int8",
        f"{word.pytorch:.5f}",
        f"{abs(found.value - word.pytorch):.0e} apart",
        help="What the quantized module gives for the same input.",
    )
    card(
        fp32,
        "By fp32",
        f"{word.fp32:.5f}",
        f"{found.value - word.fp32:+.4f} in int8",
        help="fp32 has read the same words, with a hidden state of its own.",
    )
    st.latex(formula(asked))
    cells, line = st.columns(2)
    with cells:
        some = "" if shown == count else f", the first {shown}"
        st.markdown(f"**{count} products**{some}: point at one for its numbers")
        st.vega_lite_chart(products_chart(asked), key="how-products")
    with line:
        st.markdown("**They add up**, in a 32-bit integer")
        st.vega_lite_chart(charts.running_sum(found.running), key="how-running")


def products_chart(asked: Asked):
    """Return the chart of the products, a cell each."""
    found = asked.in_numbers().sum
    return charts.products(list(found.weights[:SHOWN]), list(found.inputs[:SHOWN]), "sum so far")


def formula(asked: Asked) -> str:
    """Return the sum with its numbers, in LaTeX."""
    found = asked.in_numbers().sum
    offset = f"{found.zero_point} \\cdot ({_whole(sum(found.weights))})"
    return (
        rf"\begin{{gathered}} \big(\underbrace{{{_whole(found.total)}}}_{{\text{{sum}}}} - "
        rf"\underbrace{{{offset}}}_{{\text{{zero point}}}}\big)"
        rf" \cdot {found.weight_step:.6f} \cdot {found.input_step:.6f} \\"
        rf" + \; {found.bias:.4f} = {found.value:.5f} \end{{gathered}}"
    )


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", "{,}")
