"""Settings and colors that all charts share; the browser draws the charts.

A chart function returns a Vega-Lite specification. Colors are the theme's and change with it in the
browser. Channels are objects, such as `alt.X("start:Q")`: for a string, Altair searches all of its
classes.
"""

import json
import math

import altair as alt

# Altair uses pandas as soon as it is loaded. If several visitors' first pages load at once, one
# thread loads pandas and the others would find it half loaded. Load it before any page draws.
import pandas  # noqa: F401
import streamlit as st
from altair.utils import schemapi

from view.shared.dimming import is_dim
from view.shared.screen import enlarged, zoom
from wlm.quantization.variant import OFFERED, Variant


def _by_theme(on_light: str, on_dark: str) -> alt.ExprRef:
    return alt.ExprRef(f"luminance(background) > 0.2 ? '{on_light}' : '{on_dark}'")


LABEL_SIZE = 16
VALUE_SIZE = 20
SMALL_SIZE = 14
GREY = "#7f8b97"  # for reference marks: visible on light and on dark
# The browser computes the ink from the page's background: the theme's grays are too faint for a
# lecture hall.
INK = _by_theme("#0d141b", "#e8eef4")
GROUND = alt.ExprRef("background")
HALO = {"stroke": GROUND, "strokeWidth": 5, "strokeJoin": "round"}  # around words that lines cross
# A variant's color is the theme's color at its position in this list, whichever variants are shown.
# Any other variant takes a position after these.
VARIANTS = [Variant.parse(name).label for name in OFFERED]
# Parts of a model are shades of slate: no variant has these colors.
PARTS = {
    part: _by_theme(on_light, on_dark)
    for part, on_light, on_dark in (
        ("embedding", "#92a0ad", "#677078"),
        ("LSTM", "#181b1e", "#d6dfe8"),
        ("decoder", "#c9d2db", "#3b434b"),
        ("loss", "#5a6672", "#9aa6b2"),
        ("file format", "#e7ecf0", "#252c33"),
    )
}
# Values above and below 0: neither color is fp32's or int8's.
SIGNS = {"above 0": _by_theme("#462373", "#9867e1"), "below 0": _by_theme("#b32035", "#fad9a2")}
# Puts an axis label on two lines, "int8" above "LSTM + Linear": charts are narrow side by side and
# on a phone.
TWO_LINES = (
    "indexof(datum.label, ' ') < 0 ? datum.label : "
    "[slice(datum.label, 0, indexof(datum.label, ' ')), "
    "slice(datum.label, indexof(datum.label, ' ') + 1)]"
)

# As data, because Altair copies a whole chart for each setting.
CONFIG = alt.Config(
    axis=alt.AxisConfig(
        labelFontSize=LABEL_SIZE,
        titleFontSize=LABEL_SIZE,
        grid=False,
        domain=False,  # a scale may extend beyond the data, for words next to marks
        labelFlush=False,
        labelColor=INK,
        titleColor=INK,
    ),
    legend=alt.LegendConfig(labelFontSize=SMALL_SIZE, labelColor=INK, labelLimit=300),
    text=alt.MarkConfig(fontSize=SMALL_SIZE, fontWeight=600),
).to_dict()
VEIL = {  # the layer over a dimmed chart
    "data": {"values": [{}]},
    "mark": {
        "type": "rect",
        "color": GROUND.to_dict(),
        "opacity": 0.7,
        "tooltip": None,
        "aria": False,
    },
    "encoding": {
        "x": {"value": 0},
        "x2": {"value": "width"},
        "y": {"value": 0},
        "y2": {"value": "height"},
    },
}

Spec = dict  # Vega-Lite's JSON
THOUSANDS = {"labelExpr": "format(datum.value, '~s')"}  # the format alone gives 0 a k, too
# What tooltips call these fields; other fields have their own names.
TITLES = {
    "label": "variant",
    "low": "from",
    "high": "to",
    "tokens_per_s": "tokens per second",
    "elapsed_ms": "elapsed (ms)",
    "cpu_ms": "CPU (ms)",
}

alt.data_transformers.consolidate_datasets = False  # rows stay in the chart that holds them
# A test checks the parts of all charts; otherwise Altair would, each time that a page makes them.
schemapi.disable_debug_mode()


def specification(chart: alt.LayerChart, height: float | dict, description: str = "") -> Spec:
    """Return a chart as data, in type large enough for the last row of a lecture hall.

    Screen readers read the description, then each mark that has a tooltip, by its tooltip.
    """
    spec = chart.to_dict(validate=False)
    _name_marks(spec)
    spec |= {"config": {**spec["config"], **CONFIG}, "height": height, "description": description}
    # Streamlit would convert rows at the top level at every rerun.
    drawn = {key: spec.pop(key) for key in ("data", "layer", "resolve") if key in spec}
    return {**spec, "layer": [drawn]}


def _name_marks(spec: Spec) -> None:
    """Name each mark by its tooltip, such as "variant: fp32, size (MB): 113.9", and hide the other
    marks from screen readers: words and lines repeat what these names and the description say."""
    for layer in spec.get("layer", []):
        _name_marks(layer)
    if "mark" not in spec:
        return
    told = spec["encoding"].get("tooltip")
    if not isinstance(told, list) or spec["mark"]["type"] in ("text", "line", "area"):
        spec["mark"]["aria"] = False  # the points of a line keep their names
    if isinstance(told, list):
        for tooltip in told:
            tooltip.setdefault("title", TITLES.get(tooltip["field"], tooltip["field"]))
        words = " + ', ' + ".join(map(_told, told))
        spec["encoding"]["description"] = {"value": {"expr": words}}


def _told(tooltip: dict) -> str:
    """Return the Vega expression of a tooltip's line in words."""
    name, value = tooltip["title"], f"datum['{tooltip['field']}']"
    if tooltip["type"] == "quantitative":
        number = f"format({value}, '{tooltip.get('format', ',.6~r')}')"
        value = f"(isValid({value}) ? {number} : 'unknown')"
    return f"{json.dumps(name + ': ', ensure_ascii=False)} + {value}"


def axis_within(
    low: float, high: float, most: int = 4, *, whole: bool = False, **options
) -> alt.Axis:
    """Return an axis whose ticks end at the data: at most `most` + 1 round ticks, or whole numbers.
    The scale may extend further, for words next to the marks."""
    step = (high - low or 1.0) / most
    power = 10.0 ** math.floor(math.log10(step))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= 0.999 * step)
    step = max(1, math.ceil(step)) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return alt.Axis(values=[round(i * step, 12) for i in range(first, last + 1)], **options)


def interval_ends(base: alt.Chart) -> list[alt.Chart]:
    """Return marks at both ends of each row's interval from `low` to `high`. They are taller than a
    dot, which hides the rest of a narrow interval."""
    known = base.transform_filter("datum.low < datum.high")
    return [
        known.mark_tick(thickness=3, height=26).encode(x=alt.X(f"{end}:Q"))
        for end in ("low", "high")
    ]


def draw_chart(spec: Spec, key: str, place=st) -> None:
    """Draw a chart in a place, as large as the page's type, and under a veil if results are
    dimmed."""
    if is_dim():
        spec = {**spec, "layer": [*spec["layer"], VEIL]}
    times = zoom()
    # Each size has its own key: with the same key, a new chart would keep the old height.
    place.vega_lite_chart(enlarged(spec, times), key=key if times == 1 else f"{key}-{times}")


def color_by_label(labels: list[str], legend: alt.Legend | None = None) -> alt.Color:
    """Return the colors of variants by label. A variant has the same color in every chart. The
    legend names these labels, unless `legend` has other values."""
    others = sorted(set(labels) - set(VARIANTS))
    if legend is not None and legend["values"] is alt.Undefined:
        legend["values"] = labels
    return alt.Color("label:N", scale=alt.Scale(domain=[*VARIANTS, *others]), legend=legend)


def color_by_sign() -> alt.Color:
    """Return the colors of values above and below 0, the field `sign`, with a legend."""
    legend = alt.Legend(title=None, orient="top", symbolType="square")
    scale = alt.Scale(domain=[*SIGNS], range=[*SIGNS.values()])
    return alt.Color("sign:N", scale=scale, legend=legend)


def color_by_part(parts: list[str], legend: alt.Legend) -> alt.Color:
    """Return the colors of a model's parts, the field `group`, with this legend."""
    legend["values"] = parts
    others = [part for part in parts if part not in PARTS]
    scale = alt.Scale(domain=[*PARTS, *others], range=[*PARTS.values()])
    return alt.Color("group:N", scale=scale, legend=legend)
