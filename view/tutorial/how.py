"""The steps of the tour that show how int8 works, with the numbers of one word."""

import streamlit as st

from view.how import charts
from view.how.choose import DEFAULT_PROMPT
from view.how.selection import Selection, word_of, words_read
from view.how.steps import formula, ranges_chart, show_formula, weights_chart
from view.shared import server
from view.shared.charts import Spec, draw_chart
from view.shared.page import link_to, minus, plain
from view.tutorial.comparison import MODEL
from wlm.explaining.reading import DECODER_WEIGHT
from wlm.explaining.snippets import lines_of

ROW = "the"  # the word whose row of the decoder is shown
SLIDE_HEIGHT = 260  # pixels of a chart, before a screen enlarges it
LINES = lines_of(
    f"assets/models/{MODEL}",
    DEFAULT_PROMPT.split(),
    DECODER_WEIGHT,
    f'checkpoint.vocabulary.ids["{ROW}"]',
    by_row=False,
    bits=8,
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
        f"A weight becomes a whole number of steps of {row.step:.4f}.",
        f"The decoder's largest weight, {row.largest:.2f}, sets the step for all rows. The row of "
        f"“{ROW}” spans {row.levels_used} of the 256 levels.",
    )


def show_rounding(presenting: bool) -> None:
    """Show the decoder's weights over their grid, and some weights as they snap to the grid."""
    here = selection()
    whole, few = st.columns(2)
    draw(weights_chart(here), "weights", whole, presenting)
    draw(charts.snapping(word_of(here).row), "snapping", few, presenting)
    link_to_all(presenting)


def about_sum() -> tuple[str, str]:
    """Return the explanation of how an input is rounded, and of the sum of the products."""
    here = selection()
    found = word_of(here)
    count, last = len(found.input), plain(here.word)
    int8, fp32 = (minus(f"{score:.4f}") for score in (found.sum.value, found.fp32))
    return (
        f"The inputs are rounded on the fly. Then {count} products add up.",
        f"The score of “{ROW}” after “{last}” is {int8}, by this arithmetic and by PyTorch's int8. "
        f"In fp32 it is {fp32}.",
    )


def show_sum(presenting: bool) -> None:
    """Show an input's range at each word, and how the products of one row add up."""
    here = selection()
    ranges, sum = st.columns(2)
    draw(ranges_chart(here), "ranges", ranges, presenting)
    running = charts.running_sum(word_of(here).sum.running, here.int8.label)
    draw(running, "running", sum, presenting)
    if not presenting:
        show_formula(formula(here))
    link_to_all(presenting)


def draw(chart: Spec, name: str, place, presenting: bool) -> None:
    """Draw a chart in a place; on a slide, in the height that the slide has for it."""
    chart = chart | {"height": SLIDE_HEIGHT} if presenting else chart
    draw_chart(chart, f"tour-{name}-{presenting}", place)


def link_to_all(presenting: bool) -> None:
    """Link a reader to the page How, which shows the same for any text."""
    if not presenting:
        link_to("How", "See every step, for any word of your own text")
