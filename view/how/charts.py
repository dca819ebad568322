"""The charts of the page How: weights, inputs and products on their way to integers."""

import math
from collections.abc import Sequence
from itertools import islice

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    GROUND,
    HALO,
    INK,
    LABEL_SIZE,
    SMALL_SIZE,
    THOUSANDS,
    Spec,
    axis_within,
    color_by_label,
    color_by_sign,
    specification,
)
from view.shared.histogram import histogram_layers
from view.shared.next_words import shown_word
from view.shared.page import minus
from wlm.explaining.integers import RoundedRow
from wlm.inspecting.weight_error import Histogram

STATIC = "fixed range (static)"
SHOWN_WEIGHTS = 8  # between their ticks
ACROSS = 32  # products side by side


@built_once
def weights_and_row(histogram: Histogram, row: RoundedRow) -> Spec:
    """Return all weights of a matrix over their grid. If one step is shared, a bar shows the range
    of one row, and a line the largest weight, which sets the step."""
    title = "weight, in its row's steps" if histogram.in_levels else "weight"
    x, layers = histogram_layers(histogram, title)
    if not histogram.in_levels:
        ends = {"start": min(row.weights), "end": max(row.weights), "text": "this row"}
        span = alt.Chart({"values": [ends]}).encode(x=x, y=alt.YValue(26))
        edge = alt.Chart({"values": [{"start": row.largest, "text": "sets the step"}]}).encode(x=x)
        layers += [
            span.mark_rule(color=INK, strokeWidth=5).encode(x2=alt.X2("end:Q")),
            span.mark_text(color=INK, align="left", dy=-14).encode(text=alt.Text("text:N")),
            edge.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=2),
            edge.mark_text(color=INK, y=90, align="right", dx=-6).encode(text=alt.Text("text:N")),
        ]
    about = "How many weights of the matrix have each value, over the 256 numbers that int8 stores."
    return specification(alt.layer(*layers), 300, about)


@built_once
def snapping(rounded: RoundedRow) -> Spec:
    """Return a line for each of a row's first weights between its two nearest ticks, and the tick
    it snaps to."""
    rows = []
    pairs = zip(rounded.weights, rounded.integers, strict=True)
    for weight, integer in islice(pairs, SHOWN_WEIGHTS):
        steps = weight / rounded.step
        below = math.floor(steps)
        rows.append(
            {
                "name": minus(f"{weight:.4f} ÷ step = {steps:.2f}"),
                "below": below,
                "above": below + 1,
                "place": steps - below,  # between the ticks, 0 to 1
                "taken": integer,
                "end": min(max(integer - below, 0), 1),
            }
        )
    y = alt.Y(
        "name:N",
        sort=[row["name"] for row in rows],
        title=None,
        axis=alt.Axis(ticks=False, labelFontSize=SMALL_SIZE, labelLimit=220, domain=False),
    )
    axis = alt.Axis(values=[0, 0.5, 1], labelExpr="datum.value == 0.5 ? 'half' : 'tick'")
    x = alt.X("place:Q", title=None, scale=alt.Scale(domain=[-0.18, 1.18], nice=False), axis=axis)
    base = alt.Chart({"values": rows}).encode(y=y)
    tooltip = [alt.Tooltip("name:N", title="weight"), alt.Tooltip("taken:Q", title="stored")]
    ends = [
        base.mark_text(fontSize=LABEL_SIZE, color=INK, **side).encode(
            x=alt.XDatum(place, type="quantitative"),
            text=alt.Text(f"{field}:Q"),
            opacity=alt.condition(f"datum.taken == datum.{field}", alt.value(1.0), alt.value(0.45)),
        )
        for field, place, side in (
            ("below", 0, {"align": "right", "dx": -10}),
            ("above", 1, {"align": "left", "dx": 10}),
        )
    ]
    span = base.mark_rule(color=GREY, strokeWidth=1).encode(x=alt.XDatum(0), x2=alt.X2Datum(1))
    chart = alt.layer(
        span,
        base.mark_rule(strokeWidth=4).encode(x=x, x2=alt.X2("end:Q"), color=alt.ColorValue(GREY)),
        base.mark_tick(color=INK, thickness=3, height=18).encode(x=alt.X("end:Q")),
        base.mark_point(filled=True, size=130, opacity=1).encode(x=x, tooltip=tooltip),
        *ends,
    )
    about = "Each weight between its two nearest integers, and the integer that stores it."
    return specification(chart, 30 * len(rows) + 40, about)


@built_once
def ranges(
    words: Sequence[str], found: Sequence[tuple[float, float]], at: int, static: tuple[float, float]
) -> Spec:
    """Return a bar per word from the lowest to the highest value of its input, the bar of the word
    at a position in full color, and the ends of a static range."""
    rows = [
        {
            # A word may occur several times, so its name includes its position, which is not shown.
            "name": f"{i:03}{shown_word(word)}",
            "word": shown_word(word),
            "low": low,
            "high": high,
            "chosen": i == at,
        }
        for i, (word, (low, high)) in enumerate(zip(words, found, strict=True))
    ]
    x = alt.X(
        "name:N",
        title="word that is read",
        axis=alt.Axis(
            labelExpr="slice(datum.label, 3)",
            labelAngle=-40 if len(rows) > 6 else 0,
            labelFontSize=SMALL_SIZE,
            labelLimit=110,
            labelOverlap=False,
            ticks=False,
        ),
    )
    low = min(static[0], *(row["low"] for row in rows))
    high = max(static[1], *(row["high"] for row in rows))
    base = alt.Chart({"values": rows}).encode(x=x)
    bars = base.mark_bar(color=INK, cornerRadius=3, width=alt.RelativeBandSize(0.6)).encode(
        y=alt.Y(
            "low:Q",
            title="value",
            scale=alt.Scale(domain=[low, high], nice=False),
            axis=axis_within(low, high),
        ),
        y2=alt.Y2("high:Q"),
        opacity=alt.condition(alt.datum.chosen, alt.value(0.9), alt.value(0.3)),
        tooltip=[
            alt.Tooltip("word:N"),
            alt.Tooltip("low:Q", title="lowest", format=".4f"),
            alt.Tooltip("high:Q", title="highest", format=".4f"),
        ],
    )
    ends = alt.Chart({"values": [{"end": end, "what": STATIC} for end in static]})
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3)
    grey = alt.Color("what:N", scale=alt.Scale(domain=[STATIC], range=[GREY]), legend=legend)
    ghost = ends.mark_rule(strokeDash=[7, 5], strokeWidth=2.5).encode(y=alt.Y("end:Q"), color=grey)
    about = "The lowest to the highest input value at each word, and a fixed range for comparison."
    return specification(alt.layer(bars, ghost), 300, about)


@built_once
def on_grids(values: list[float], dynamic: list[float], static: list[float]) -> Spec:
    """Return the values of one input, and below them the values that two grids can hold. A taller
    mark is a value outside the static grid."""
    lanes = ["values", "dynamic grid", "static grid"]
    low, high = static[0], static[-1]
    rows = [
        {
            "value": value,
            "lane": lane,
            "outside": "yes" if lane == lanes[0] and not low <= value <= high else "no",
        }
        for lane, many in zip(lanes, (values, dynamic, static), strict=True)
        for value in many
    ]
    everything = [*values, *dynamic, *static]
    ends = [min(everything), max(everything)]
    x = alt.X(
        "value:Q",
        title="value of the input",
        scale=alt.Scale(domain=ends, nice=False, padding=4),
        axis=axis_within(*ends),
    )
    y = alt.Y("lane:N", sort=lanes, title=None, axis=alt.Axis(ticks=False, domain=False))
    tooltip = [
        alt.Tooltip("value:Q", format=".4f"),
        alt.Tooltip("lane:N", title="of"),
        alt.Tooltip("outside:N", title="outside the static grid"),
    ]

    def ticks(shown: list[dict], color, height: int) -> list[alt.Chart]:
        """A screen reader would stumble over a layer without marks."""
        chart = alt.Chart({"values": shown}).encode(x=x, y=y, tooltip=tooltip)
        look = {"color": color, "height": height, "thickness": 1.5, "opacity": 0.75}
        return [chart.mark_tick(**look)] if shown else []

    outside = [row for row in rows if row["outside"] == "yes"]
    fixed = [row for row in rows if row["lane"] == lanes[2]]
    others = [row for row in rows if row["outside"] == "no" and row["lane"] != lanes[2]]
    chart = alt.layer(*ticks(others, INK, 36), *ticks(outside, INK, 58), *ticks(fixed, GREY, 36))
    about = (
        "The input's values in a row, above the values that the dynamic and the static grid have."
    )
    return specification(chart, 200, about)


@built_once
def products(weights: Sequence[int], inputs: Sequence[int]) -> Spec:
    """Return a cell per product of a weight and an input; a larger product has a stronger color.
    The tooltip has the product and the sum so far."""
    rows, running = [], 0
    for column, (weight, value) in enumerate(zip(weights, inputs, strict=True)):
        running += weight * value
        rows.append(
            {
                "column": column,
                "across": column % ACROSS,
                "down": column // ACROSS,
                "size": abs(weight * value),
                "sign": "below 0" if weight * value < 0 else "above 0",
                "formula": f"{weight} × {value} = {weight * value:,}",
                "running": f"{running:,}",
            }
        )
    chart = (
        alt.Chart({"values": rows})
        .mark_rect(stroke=GREY, strokeWidth=0.4)
        .encode(
            x=alt.X("across:O", axis=None),
            y=alt.Y("down:O", axis=None),
            color=color_by_sign(),
            fillOpacity=alt.FillOpacity(
                "size:Q", scale=alt.Scale(type="sqrt", range=[0.04, 1.0]), legend=None
            ),
            tooltip=[
                alt.Tooltip("column:Q"),
                alt.Tooltip("formula:N", title="weight × input"),
                alt.Tooltip("running:N", title="sum so far"),
            ],
        )
    )
    height = 24 * (len(rows) // ACROSS + 1) + 40
    about = "The product of each weight and its input as a cell, by sign and size."
    return specification(alt.layer(chart), height, about)


@built_once
def running_sum(running: list[int], label: str) -> Spec:
    """Return a line through the sum of the products up to each column, with its last value, in the
    color of the variant with this label."""
    rows = [{"column": i, "sum": sum, "label": label} for i, sum in enumerate(running, start=1)]
    ends = [min(0, *running), max(0, *running)]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "column:Q",
            title="products added up",
            scale=alt.Scale(domain=[0, len(rows)], nice=False),
            axis=axis_within(0, len(rows), whole=True, format="d"),
        ),
        color=color_by_label([label]),
        y=alt.Y(
            "sum:Q",
            title="sum (int32)",
            scale=alt.Scale(domain=ends, nice=False, padding=26),  # for the last value
            axis=axis_within(*ends, **THOUSANDS),
        ),
        tooltip=[alt.Tooltip("column:Q", title="products"), alt.Tooltip("sum:Q", format=",")],
    )
    last = base.transform_filter(alt.datum.column == len(rows))
    number = last.encode(text=alt.Text("sum:Q", format=","))
    above = {"align": "right", "dx": -4, "dy": -16, "fontSize": LABEL_SIZE}
    chart = alt.layer(
        base.mark_line(strokeWidth=2.5, interpolate="step-after"),
        last.mark_point(filled=True, size=110, opacity=1),
        number.mark_text(**above, **HALO).encode(color=alt.ColorValue(GROUND)),
        number.mark_text(**above).encode(color=alt.ColorValue(INK)),
    )
    about = f"The sum of the products, one after the other, up to {minus(f'{running[-1]:,}')}."
    return specification(chart, 240, about)
