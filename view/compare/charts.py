"""The charts of a comparison: large type, direct labels, colours from the theme."""

import statistics

import altair as alt

from view.shared.built import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    SMALL_SIZE,
    TWO_LINES,
    VALUE_SIZE,
    Spec,
    color_by_label,
    specification,
)


@built_once
def bars_with_references(
    labels: list[str],
    values: list[float | None],
    references: list[float | None],
    *,
    title: str,
    format: str,
    reference_name: str,
) -> Spec:
    """Return one bar a label, its value beside it, and a faint line at each reference value.

    `title` is the axis title with its unit; `format` is a d3 number format. Two bars stand, more
    lie.
    """
    rows = [
        {"label": label, "value": value, "reference": reference, "source": reference_name}
        for label, value, reference in zip(labels, values, references, strict=True)
    ]
    top = max(each for each in [*values, *references] if each is not None)
    lying, many = len(labels) > 2, len(labels) > 4
    across, along = (alt.Y, alt.X) if lying else (alt.X, alt.Y)
    base = alt.Chart({"values": rows}).encode(
        across(
            "label:N",
            sort=labels,
            title=None,
            axis=alt.Axis(
                labelAngle=0,
                labelExpr=TWO_LINES,
                labelLimit=220,
                labelFontSize=SMALL_SIZE if many else LABEL_SIZE,
                ticks=False,
            ),
        ),
        along(
            "value:Q",
            title=title,
            scale=alt.Scale(
                domain=[0, top * (1.7 if many else 1.4 if lying else 1.15)], nice=False
            ),
            axis=alt.Axis(tickCount=4),
        ),
    )
    color = color_by_label(labels)
    bars = base.mark_bar(cornerRadiusEnd=4, size=26 if many else 30 if lying else 64).encode(
        color=color,
        tooltip=[alt.Tooltip("label:N", title="variant"), alt.Tooltip("value:Q", title=title)],
    )
    place = {"align": "left", "dx": 8} if lying else {"dy": -14}
    numbers = base.mark_text(fontSize=LABEL_SIZE if many else VALUE_SIZE, **place).encode(
        text=alt.Text("value:Q", format=format), color=color
    )
    # Beside its bar, so that it never crosses the number at the bar's end.
    beside = (
        {"height": 12, "yOffset": 19 if many else 24} if lying else {"width": 22, "xOffset": 48}
    )
    strokes = alt.Legend(
        title=None,
        orient="bottom",
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeColor=GREY,
        symbolStrokeWidth=4,
    )
    marks = (
        base.transform_filter("isValid(datum.reference)")
        .mark_tick(thickness=4, **beside)
        .encode(
            along("reference:Q"),
            color=alt.Color(
                "source:N",
                scale=alt.Scale(domain=[reference_name], range=[GREY]),
                legend=None if many else strokes,  # no room; they are explained below the charts
            ),
            tooltip=[alt.Tooltip("source:N"), alt.Tooltip("reference:Q", title=title)],
        )
    )
    chart = alt.layer(bars, numbers, marks).resolve_scale(color="independent")
    return specification(chart, height=max(340, 58 * len(labels)))


@built_once
def speedups(labels: list[str], values: list[float], intervals: list[list[float] | None]) -> Spec:
    """Return a dot a label for how many times as fast it is, with its interval as a bar, on a log
    axis where 1 is marked; a dot alone where there is no interval yet. The first label is the
    baseline: it has no dot, but the first colour."""
    rows = [
        {
            "label": label,
            "value": value,
            "low": ends[0] if ends else value,
            "high": ends[1] if ends else value,
            "text": f"{value:.2f} ({ends[0]:.2f} to {ends[1]:.2f})" if ends else f"{value:.2f}",
        }
        for label, value, ends in zip(labels[1:], values[1:], intervals[1:], strict=True)
    ]
    lowest, highest = min(row["low"] for row in rows), max(row["high"] for row in rows)
    x = alt.X(
        "value:Q",
        title="times as fast (log scale)",
        scale=alt.Scale(
            type="log", domain=[min(0.5, lowest * 0.8), max(2.0, highest * 1.6)], nice=False
        ),
        axis=alt.Axis(values=[0.25, 0.5, 1, 2, 4, 8, 16, 32], format="~g"),
    )
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=240, ticks=False))
    one = alt.Chart({"values": [{"value": 1.0}]}).encode(x=x)
    base = alt.Chart({"values": rows}).encode(x=x, y=y, color=color_by_label(labels))
    chart = alt.layer(
        one.mark_rule(color=INK, strokeDash=[6, 4], size=2),
        base.mark_rule(size=5).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=240, opacity=1).encode(
            tooltip=["label:N", "value:Q", "low:Q", "high:Q"]
        ),
        base.mark_text(fontSize=LABEL_SIZE, dy=-22).encode(text="text:N"),
    )
    return specification(chart, height=100 + 60 * len(rows))


@built_once
def block_times(labels: list[str], times: list[list[float]]) -> Spec:
    """Return a light line a label through its blocks' milliseconds per token, round by round."""
    rows = [
        {"label": label, "round": i, "time": round(1e3 * seconds, 6)}
        for label, each in zip(labels, times, strict=True)
        for i, seconds in enumerate(each, start=1)
    ]
    rounds, height = max(map(len, times)), max(220, 40 * len(labels))
    # Words to the right of the lines, at their middle heights: ends may jump and meet.
    middles = [1e3 * statistics.median(each) for each in times]
    places = _apart(middles, 18 / (height - 70) * max(row["time"] for row in rows))
    names = [
        {"label": label, "round": rounds, "place": place}
        for label, place in zip(labels, places, strict=True)
    ]
    x = alt.X(
        "round:Q",
        title="round",
        scale=alt.Scale(domain=[1, max(2.0, rounds * 1.5)], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    y = alt.Y("time:Q", title="ms per token", scale=alt.Scale(zero=True))
    color = color_by_label(labels)
    lines = alt.Chart({"values": rows}).mark_line(strokeWidth=2, opacity=0.85, point={"size": 30})
    words = alt.Chart({"values": names}).mark_text(align="left", dx=12)
    chart = alt.layer(
        lines.encode(x=x, y=y, color=color, tooltip=["label:N", "round:Q", "time:Q"]),
        words.encode(x=x, y="place:Q", text="label:N", color=color),
    )
    return specification(chart, height=height)


@built_once
def changes(labels: list[str], measures: dict[str, list[float]]) -> Spec:
    """Return bars of the change against the first label, the baseline: a group a measure."""
    rows = [
        {
            "measure": measure,
            "label": label,
            "change": value / values[0] - 1,
            "text": f"{value / values[0] - 1:+.1%}".replace("-", "−"),
        }
        for measure, values in measures.items()
        for label, value in zip(labels[1:], values[1:], strict=True)
    ]
    found = [row["change"] for row in rows]
    room = 0.2 * max(0.05, *map(abs, found))
    domain = [min(0.0, *found) - room, max(0.0, *found) + room]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "change:Q",
            title="change against the baseline",
            scale=alt.Scale(domain=domain, nice=False),
            axis=alt.Axis(format="+.0%", tickCount=5),
        ),
        y=alt.Y("measure:N", sort=list(measures), title=None, axis=alt.Axis(ticks=False)),
        yOffset=alt.YOffset("label:N", sort=labels),
    )
    legend = alt.Legend(title=None, orient="bottom", values=labels[1:], columns=4)
    numbers, falls = base.encode(text="text:N"), alt.datum.change < 0
    chart = alt.layer(
        base.mark_bar().encode(color=color_by_label(labels, legend)),
        numbers.transform_filter(falls).mark_text(align="right", dx=-6, color=INK),
        numbers.transform_filter(~falls).mark_text(align="left", dx=6, color=INK),
    )
    return specification(chart, height=max(100, 28 * len(labels)) * len(measures))


def _apart(values: list[float], gap: float) -> list[float]:
    """Places near values, from 0 up, none nearer to another than the gap."""
    places, lowest = {}, 0.0
    for i in sorted(range(len(values)), key=values.__getitem__):
        places[i] = max(values[i], lowest)
        lowest = places[i] + gap
    return [places[i] for i in range(len(values))]
