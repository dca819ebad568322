"""The charts of the page How: weights, inputs and products on their way to integers."""

import altair as alt

from view.shared.built import built_once
from view.shared.charts import GREY, INK, LABEL_SIZE, SMALL_SIZE, Spec, specification
from wlm.inspecting.weight_error import Histogram

STATIC = "fixed range (static)"
ACROSS = 32  # products side by side


@built_once
def weights_on_ticks(histogram: Histogram, row: tuple[float, float], largest: float) -> Spec:
    """Return all weights of a matrix over the ticks of their grid, counts on a square-root scale;
    `row` is the range of one of its rows, as a bar, `largest` the weight that sets the step."""
    counts = [*histogram.counts, histogram.counts[-1]]  # the last one closes the outline
    rows = [
        {"start": histogram.start + i * histogram.width, "count": count}
        for i, count in enumerate(counts)
    ]
    x = alt.X(
        "start:Q",
        title="weight, in its row's steps" if histogram.in_levels else "weight",
        scale=alt.Scale(domain=[rows[0]["start"], rows[-1]["start"]], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    y = alt.Y("count:Q", title="weights", scale=alt.Scale(type="sqrt"), axis=alt.Axis(tickCount=4))
    area = alt.Chart({"values": rows}).mark_area(interpolate="step-after").encode(x=x, y=y)
    ticks = alt.Chart({"values": [{"start": each} for each in histogram.grid]})
    rug = ticks.mark_tick(color=INK, thickness=1, height=14, yOffset=-7, opacity=0.7)
    layers = [area, rug.encode(x=x, y=alt.YDatum(0))]
    if not histogram.in_levels:
        low, high = row
        span = alt.Chart({"values": [{"start": low, "end": high, "text": "this row"}]})
        span = span.encode(x=x, y=alt.YValue(26))
        edge = alt.Chart({"values": [{"start": largest, "text": "sets the step"}]}).encode(x=x)
        side = {"align": "right", "dx": -6} if largest > 0 else {"align": "left", "dx": 6}
        layers += [
            span.mark_rule(color=INK, strokeWidth=5).encode(x2=alt.X2("end:Q")),
            span.mark_text(color=INK, align="left", dy=-14).encode(text=alt.Text("text:N")),
            edge.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=2),
            edge.mark_text(color=INK, y=90, **side).encode(text=alt.Text("text:N")),
        ]
    return specification(alt.layer(*layers), height=300)


@built_once
def snapping(rows: list[dict]) -> Spec:
    """Return weights between the two ticks next to them, a line each, and which one they take.

    Rows have `name`, `below` and `above`, the ticks' integers, `place` of the weight between them,
    0 to 1, and `taken`, the integer that is stored.
    """
    y = alt.Y(
        "name:N",
        sort=[row["name"] for row in rows],
        title=None,
        axis=alt.Axis(ticks=False, labelFontSize=SMALL_SIZE, labelLimit=220, domain=False),
    )
    axis = alt.Axis(values=[0, 0.5, 1], labelExpr="datum.value == 0.5 ? 'half' : 'tick'")
    x = alt.X("place:Q", title=None, scale=alt.Scale(domain=[-0.18, 1.18], nice=False), axis=axis)
    told = [{**row, "end": min(max(row["taken"] - row["below"], 0), 1)} for row in rows]
    base = alt.Chart({"values": told}).encode(y=y)
    tooltip = [alt.Tooltip("name:N"), alt.Tooltip("taken:Q", title="stored")]
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
    return specification(chart, height=30 * len(rows) + 40)


@built_once
def ranges(rows: list[dict], static: tuple[float, float]) -> Spec:
    """Return a bar a word from the lowest to the highest value of its input, the chosen word's in
    full colour, and the ends of a static range; rows have word, low, high and chosen."""
    # A word may stand at several places: its name has the place, too, which is not shown.
    rows = [{**row, "name": f"{i:03}{row['word']}"} for i, row in enumerate(rows)]
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
    base = alt.Chart({"values": rows}).encode(x=x)
    bars = base.mark_bar(cornerRadius=3, width=alt.RelativeBandSize(0.6)).encode(
        y=alt.Y("low:Q", title="value", axis=alt.Axis(tickCount=5)),
        y2=alt.Y2("high:Q"),
        opacity=alt.condition(alt.datum.chosen, alt.value(1.0), alt.value(0.35)),
        tooltip=[
            alt.Tooltip("word:N"),
            alt.Tooltip("low:Q", title="lowest", format=".4f"),
            alt.Tooltip("high:Q", title="highest", format=".4f"),
        ],
    )
    ends = alt.Chart({"values": [{"end": each, "what": STATIC} for each in static]})
    ghost = ends.mark_rule(strokeDash=[7, 5], strokeWidth=2.5).encode(
        y=alt.Y("end:Q"), color=_ghost("what:N")
    )
    return specification(alt.layer(bars, ghost), height=300)


@built_once
def on_grids(values: list[float], dynamic: list[float], static: list[float]) -> Spec:
    """Return the values of one input, and below them what two grids can hold of it."""
    lanes = ["values", "dynamic grid", "static grid"]
    low, high = static[0], static[-1]
    rows = [
        {"value": value, "lane": lane, "outside": lane == lanes[0] and not low <= value <= high}
        for lane, many in zip(lanes, (values, dynamic, static), strict=True)
        for value in many
    ]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X("value:Q", title="value of the input", axis=alt.Axis(tickCount=5)),
        y=alt.Y("lane:N", sort=lanes, title=None, axis=alt.Axis(ticks=False, domain=False)),
        tooltip=[alt.Tooltip("value:Q", format=".4f"), alt.Tooltip("lane:N")],
    )
    ghost, plain = alt.datum.lane == lanes[2], alt.datum.lane != lanes[2]
    chart = alt.layer(
        base.transform_filter(plain)
        .mark_tick(thickness=1.5, height=40, opacity=0.75)
        .encode(
            color=alt.Color(
                "outside:N", scale=alt.Scale(domain=[False, True]), legend=None, sort=None
            )
        ),
        base.transform_filter(ghost).mark_tick(thickness=1.5, height=40, opacity=0.75, color=GREY),
    )
    return specification(chart, height=200)


@built_once
def products(weights: list[int], inputs: list[int], words: str) -> Spec:
    """Return a cell for each product of a weight and an input, the larger the stronger; pointed
    at, a cell shows its formula and the sum so far. `words` says what the sum is of."""
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
            color=alt.Color(
                "sign:N",
                scale=alt.Scale(domain=["above 0", "below 0"]),
                legend=alt.Legend(title=None, orient="top", symbolType="square"),
            ),
            fillOpacity=alt.FillOpacity(
                "size:Q", scale=alt.Scale(type="sqrt", range=[0.04, 1.0]), legend=None
            ),
            tooltip=[
                alt.Tooltip("column:Q"),
                alt.Tooltip("formula:N", title="weight × input"),
                alt.Tooltip("running:N", title=words),
            ],
        )
    )
    return specification(alt.layer(chart), height=24 * (len(rows) // ACROSS + 1) + 40)


@built_once
def running_sum(running: list[int]) -> Spec:
    """Return a line through the sum of the products up to each column, its last value told."""
    rows = [{"column": i, "sum": each} for i, each in enumerate(running, start=1)]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "column:Q",
            title="products added up",
            scale=alt.Scale(domain=[0, len(rows) * 1.22], nice=False),
            axis=alt.Axis(tickCount=5, tickMinStep=1, format="d"),
        ),
        y=alt.Y("sum:Q", title="sum (int32)", axis=alt.Axis(tickCount=5, format="~s")),
        tooltip=[alt.Tooltip("column:Q"), alt.Tooltip("sum:Q", format=",")],
    )
    last = base.transform_filter(alt.datum.column == len(rows))
    chart = alt.layer(
        base.mark_line(strokeWidth=2.5, interpolate="step-after"),
        last.mark_point(filled=True, size=110, opacity=1),
        last.mark_text(align="left", dx=9, fontSize=LABEL_SIZE, color=INK).encode(
            text=alt.Text("sum:Q", format=",")
        ),
    )
    return specification(chart, height=240)


def _ghost(field: str) -> alt.Color:
    """The grey of what is there for comparison alone, with a legend."""
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3)
    return alt.Color(field, scale=alt.Scale(domain=[STATIC], range=[GREY]), legend=legend)
