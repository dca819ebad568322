"""The charts of a comparison: large type, direct labels, colours from the theme."""

import statistics

from view.shared.built import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    SMALL_SIZE,
    TWO_LINES,
    VALUE_SIZE,
    Spec,
    category,
    chart,
    colored,
    group,
    layer,
    legend,
    mark,
    quantity,
    words,
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
    named = category(
        "label",
        sort=labels,
        title=None,
        axis={
            "labelAngle": 0,
            "labelExpr": TWO_LINES,
            "labelLimit": 220,
            "labelFontSize": SMALL_SIZE if many else LABEL_SIZE,
            "ticks": False,
        },
    )
    scale = {"domain": [0, top * (1.7 if many else 1.4 if lying else 1.15)], "nice": False}
    measured = quantity("value", title=title, scale=scale, axis={"tickCount": 4})
    across, along = ("y", "x") if lying else ("x", "y")
    color = category("label", sort=labels, legend=None)
    bars = layer(
        mark("bar", cornerRadiusEnd=4, size=26 if many else 30 if lying else 64),
        **{across: named, along: measured},
        color=color,
        tooltip=[category("label", title="variant"), quantity("value", title=title)],
    )
    place = {"align": "left", "dx": 8} if lying else {"dy": -14}
    numbers = layer(
        words(LABEL_SIZE if many else VALUE_SIZE, **place),
        **{across: named, along: measured},
        color=color,
        text=quantity("value", format=format),
    )
    # Beside its bar, so that it never crosses the number at the bar's end.
    beside = (
        {"height": 12, "yOffset": 19 if many else 24} if lying else {"width": 22, "xOffset": 48}
    )
    strokes = legend(
        symbolType="stroke", symbolSize=400, symbolStrokeColor=GREY, symbolStrokeWidth=4
    )
    marks = layer(
        mark("tick", thickness=4, **beside),
        **{across: named, along: quantity("reference")},
        color=category(
            "source",
            scale={"domain": [reference_name], "range": [GREY]},
            legend=None if many else strokes,  # no room; they are explained below the charts
        ),
        tooltip=[category("source"), quantity("reference", title=title)],
    )
    marks["transform"] = [{"filter": "isValid(datum.reference)"}]
    drawn = group(rows, bars, numbers, marks, resolve={"scale": {"color": "independent"}})
    return chart(drawn, height=max(340, 58 * len(labels)))


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
    domain = [min(0.5, lowest * 0.8), max(2.0, highest * 1.6)]
    x = {
        "title": "times as fast (log scale)",
        "scale": {"type": "log", "domain": domain, "nice": False},
        "axis": {"values": [0.25, 0.5, 1, 2, 4, 8, 16, 32], "format": "~g"},
    }
    y = category("label", sort=labels, title=None, axis={"labelLimit": 240, "ticks": False})
    color = colored(labels)
    value = quantity("value", **x)
    tooltip = [category("label"), *map(quantity, ("value", "low", "high"))]
    return chart(
        layer(mark("rule", color=INK, strokeDash=[6, 4], size=2), [{"value": 1.0}], x=value),
        group(
            rows,
            layer(
                mark("rule", size=5), x=quantity("low", **x), x2={"field": "high"}, y=y, color=color
            ),
            layer(
                mark("point", filled=True, size=240, opacity=1),
                x=value,
                y=y,
                color=color,
                tooltip=tooltip,
            ),
            layer(words(LABEL_SIZE, dy=-22), x=value, y=y, text=category("text"), color=color),
        ),
        height=100 + 60 * len(rows),
    )


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
    x = quantity(
        "round",
        title="round",
        scale={"domain": [1, max(2.0, rounds * 1.5)], "nice": False},
        axis={"tickMinStep": 1, "format": "d"},
    )
    y = {"title": "ms per token", "scale": {"zero": True}}
    color, tooltip = colored(labels), [category("label"), quantity("round"), quantity("time")]
    lines = mark("line", strokeWidth=2, opacity=0.85, point={"size": 30})
    return chart(
        layer(lines, rows, x=x, y=quantity("time", **y), color=color, tooltip=tooltip),
        layer(
            words(align="left", dx=12),
            names,
            x=x,
            y=quantity("place", **y),
            text=category("label"),
            color=color,
        ),
        height=height,
    )


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
    places = {
        "x": quantity(
            "change",
            title="change against the baseline",
            scale={"domain": domain, "nice": False},
            axis={"format": "+.0%", "tickCount": 5},
        ),
        "y": category("measure", sort=list(measures), title=None, axis={"ticks": False}),
        "yOffset": category("label", sort=labels),
    }
    color = colored(labels, legend(values=labels[1:], columns=4))
    layers = [layer(mark("bar"), **places, color=color)]
    for side, align, dx in (("<", "right", -6), (">=", "left", 6)):
        numbers = layer(words(align=align, dx=dx, color=INK), **places, text=category("text"))
        numbers["transform"] = [{"filter": f"datum.change {side} 0"}]
        layers.append(numbers)
    height = max(100, 28 * len(labels)) * len(measures)
    return chart(group(rows, *layers), height=height)


def _apart(values: list[float], gap: float) -> list[float]:
    """Places near values, from 0 up, none nearer to another than the gap."""
    places, lowest = {}, 0.0
    for i in sorted(range(len(values)), key=values.__getitem__):
        places[i] = max(values[i], lowest)
        lowest = places[i] + gap
    return [places[i] for i in range(len(values))]
