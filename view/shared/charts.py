"""What the pages' charts have in common: their type, the ink, and that the browser draws them.

A chart function returns a specification in Vega-Lite: colours are the theme's, and change with it
in the browser.
"""

import altair as alt

LABEL_SIZE = 16
VALUE_SIZE = 20
SMALL_SIZE = 14
GREY = "#8c98a4"  # for reference marks: visible on light and on dark
# The browser works it out, of the page's background: the theme's greys are too faint for a lecture
# hall.
INK = alt.ExprRef("luminance(background) > 0.2 ? '#17202a' : '#e8eef4'")
# An axis' label on two lines, "int8" above "LSTM + Linear": side by side, or on a phone, charts are
# narrow.
TWO_LINES = (
    "indexof(datum.label, ' ') < 0 ? datum.label : "
    "[slice(datum.label, 0, indexof(datum.label, ' ')), "
    "slice(datum.label, indexof(datum.label, ' ') + 1)]"
)

Spec = dict  # Vega-Lite's JSON

alt.data_transformers.consolidate_datasets = False  # rows stay where the chart has them


def specification(chart: alt.LayerChart, height: float | alt.Step) -> Spec:
    """Return a chart as data, of type that reads from the last row of a lecture hall."""
    axis = {"labelFontSize": LABEL_SIZE, "titleFontSize": LABEL_SIZE, "grid": False}
    spec = (
        chart.properties(height=height)
        .configure_axis(**axis, labelColor=INK, titleColor=INK)
        .configure_legend(labelFontSize=SMALL_SIZE, labelColor=INK, labelLimit=300)
        .configure_text(fontSize=SMALL_SIZE, fontWeight=600)
        .to_dict(validate=False)
    )
    # Rows at the top Streamlit would convert at every rerun.
    drawn = {key: spec.pop(key) for key in ("data", "layer", "resolve") if key in spec}
    return {**spec, "layer": [drawn]}


def color_by_label(labels: list[str], legend: alt.Legend | None = None) -> alt.Color:
    """Return the colours of some labels by their order, so that each has one in every chart."""
    return alt.Color("label:N", scale=alt.Scale(domain=labels), legend=legend)
