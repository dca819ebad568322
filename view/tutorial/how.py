"""The steps of the tour that show how int8 works, with the numbers of one word."""

import streamlit as st

from view.how import charts
from view.how.choose import DEFAULT_PROMPT
from view.how.selection import Selection, word_of, words_read
from view.how.steps import formula, ranges_chart, show_formula, snaps, weights_chart
from view.shared import server
from view.shared.page import MENU, plain
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.explaining.integers import highest_level
from wlm.explaining.reading import DECODER_WEIGHT
from wlm.explaining.snippets import lines_of

MODEL, ROW = DEFAULT_MODEL, "the"  # the word whose row of the decoder is shown
LINES = lines_of(
    f"assets/models/{MODEL}",
    DEFAULT_PROMPT.split(),
    DECODER_WEIGHT,
    f'checkpoint.vocabulary.ids["{ROW}"]',
    by_row=False,
    bits=8,
    highest=highest_level(),
)
WEIGHT_LINES, SUM_LINES = LINES[0], "\n".join(LINES[:3])


def selection() -> Selection:
    """Return the row and the word that the steps show."""
    words = words_read(MODEL, DEFAULT_PROMPT)
    row = server.load_model(MODEL).vocabulary.ids[ROW]
    return Selection(MODEL, words, len(words) - 1, DECODER_WEIGHT, row, False)


def about_rounding() -> tuple[str, str]:
    """Return the explanation of how a weight is rounded, and of what sets the step."""
    row = word_of(selection()).row
    return (
        f"A weight becomes a whole number of steps, each of {row.step:.4f}.",
        f"The largest weight of the decoder, {row.largest:.2f}, sets the step for all: the row of "
        f"“{ROW}” spans {row.levels_used} of the 256 levels.",
    )


def show_rounding(presenting: bool) -> None:
    """Show the decoder's weights over their grid, and some weights as they snap to the grid."""
    here = selection()
    whole, few = st.columns(2)
    # Each size has its own key: with the same key, a new chart would keep the old height.
    whole.vega_lite_chart(weights_chart(here), key=f"tour-weights-{presenting}")
    snapped = charts.snapping(snaps(word_of(here).row))
    few.vega_lite_chart(snapped, key=f"tour-snapping-{presenting}")
    link_to_all(presenting)


def about_sum() -> tuple[str, str]:
    """Return the explanation of how an input is rounded, and of the sum of the products."""
    here = selection()
    found = word_of(here)
    count, last = len(found.input), plain(here.word)
    return (
        f"An input gets its grid on the fly; {count} products add up.",
        f"The logit of “{ROW}” after “{last}” comes out as {found.sum.value:.4f}, by this "
        f"arithmetic and by PyTorch's int8; in fp32 it is {found.fp32:.4f}.",
    )


def show_sum(presenting: bool) -> None:
    """Show an input's range at each word, and how the products of one row add up."""
    here = selection()
    ranges, sum = st.columns(2)
    ranges.vega_lite_chart(ranges_chart(here), key=f"tour-ranges-{presenting}")
    running = charts.running_sum(word_of(here).sum.running, here.int8.label)
    sum.vega_lite_chart(running, key=f"tour-running-{presenting}")
    if not presenting:
        show_formula(formula(here))
    link_to_all(presenting)


def link_to_all(presenting: bool) -> None:
    """Link a reader to the page that shows the same for any text."""
    if not presenting:
        path, icon = MENU["How"]
        st.page_link(path, label="All of it, at any word of a text of yours", icon=icon)
