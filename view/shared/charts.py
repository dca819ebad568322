"""What the pages' charts have in common: their type, the ink, and that the browser draws them.

A chart function returns a specification in Vega-Lite: colours are the theme's, and change with it
in the browser. Channels are objects, as `alt.X("start:Q")`: for a string Altair goes through all of
its classes.
"""

import altair as alt

# Altair uses pandas as soon as it is loaded. Of several visitors whose first pages load at once,
# one loads it and the others would find half of it, unless it is whole before anything is drawn.
import pandas  # noqa: F401

from wlm.quantization.variant import OFFERED, Variant

LABEL_SIZE = 16
VALUE_SIZE = 20
SMALL_SIZE = 14
GREY = "#8c98a4"  # for reference marks: visible on light and on dark
# The browser works it out, of the page's background: the theme's greys are too faint for a lecture
# hall.
INK = alt.ExprRef("luminance(background) > 0.2 ? '#17202a' : '#e8eef4'")
GROUND = alt.ExprRef("background")
HALO = {"stroke": GROUND, "strokeWidth": 5, "strokeJoin": "round"}  # of words that lines cross
# A variant's colour is the theme's at its place among these, whichever are shown; any other one's
# is at the places behind them.
VARIANTS = [Variant.parse(name).label for name in OFFERED]
# Parts of a model, and what else of it is measured, are shades of stone, which no variant is.
PARTS = {
    part: alt.ExprRef(f"luminance(background) > 0.2 ? '{on_light}' : '{on_dark}'")
    for part, on_light, on_dark in (
        ("embedding", "#a08d78", "#9a8672"),
        ("LSTM", "#5c4c40", "#e6dac8"),
        ("decoder", "#d0c2b0", "#6b5a4c"),
        ("loss", "#706743", "#c1b88b"),
        ("file format", "#eedcdc", "#3a2828"),
    )
}
# An axis' label on two lines, "int8" above "LSTM + Linear": side by side, or on a phone, charts are
# narrow.
TWO_LINES = (
    "indexof(datum.label, ' ') < 0 ? datum.label : "
    "[slice(datum.label, 0, indexof(datum.label, ' ')), "
    "slice(datum.label, indexof(datum.label, ' ') + 1)]"
)

# As data, since Altair copies a whole chart for each setting.
CONFIG = alt.Config(
    axis=alt.AxisConfig(
        labelFontSize=LABEL_SIZE,
        titleFontSize=LABEL_SIZE,
        grid=False,
        labelColor=INK,
        titleColor=INK,
    ),
    legend=alt.LegendConfig(labelFontSize=SMALL_SIZE, labelColor=INK, labelLimit=300),
    text=alt.MarkConfig(fontSize=SMALL_SIZE, fontWeight=600),
).to_dict()

Spec = dict  # Vega-Lite's JSON

alt.data_transformers.consolidate_datasets = False  # rows stay where the chart has them


def specification(chart: alt.LayerChart, height: float | dict) -> Spec:
    """Return a chart as data, of type that reads from the last row of a lecture hall."""
    spec = chart.to_dict(validate=False)
    spec |= {"config": {**spec["config"], **CONFIG}, "height": height}
    # Rows at the top Streamlit would convert at every rerun.
    drawn = {key: spec.pop(key) for key in ("data", "layer", "resolve") if key in spec}
    return {**spec, "layer": [drawn]}


def dimmed(spec: Spec) -> Spec:
    """Return a chart under a veil: of what was, while something new is waited for."""
    veil = {
        "data": {"values": [{}]},
        "mark": {"type": "rect", "color": GROUND.to_dict(), "opacity": 0.7, "tooltip": None},
        "encoding": {
            "x": {"value": 0},
            "x2": {"value": "width"},
            "y": {"value": 0},
            "y2": {"value": "height"},
        },
    }
    return {**spec, "layer": [*spec["layer"], veil]}


def color_by_label(labels: list[str], legend: alt.Legend | None = None) -> alt.Color:
    """Return the colours of variants by label: one and the same each in every chart. A legend names
    these labels, unless it has others of its own."""
    others = sorted(set(labels) - set(VARIANTS))
    if legend is not None and legend["values"] is alt.Undefined:
        legend["values"] = labels
    return alt.Color("label:N", scale=alt.Scale(domain=[*VARIANTS, *others]), legend=legend)


def color_by_part(parts: list[str], legend: alt.Legend) -> alt.Color:
    """Return the colours of a model's parts, the field `group`, with a legend of these."""
    legend["values"] = parts
    others = [part for part in parts if part not in PARTS]
    scale = alt.Scale(domain=[*PARTS, *others], range=[*PARTS.values()])
    return alt.Color("group:N", scale=scale, legend=legend)
