"""The charts of a comparison: large type, direct labels, one color per variant."""

import statistics

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GROUND,
    HALO,
    INK,
    LABEL_SIZE,
    VALUE_SIZE,
    Spec,
    axis_within,
    color_by_label,
    interval_ends,
    specification,
)
from view.shared.page import minus

THICKNESS = 28  # of bars, in pixels
AXIS = 76  # the height of a horizontal axis with its title
ROOM = 0.36  # for a number behind the longest bar, as a share of it


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
    """Return one horizontal bar per label, with a line across it at each reference value.

    The label is above the bar and the value next to it; the reference's name and value are below.
    `title` is the axis title with its unit; `format` is a d3 number format.
    """
    known = [value for value in [*values, *references] if value is not None]
    top = max(known, default=1.0)
    rows = [
        {"label": label, "value": value, "reference": reference, "end": value}
        for label, value, reference in zip(labels, values, references, strict=True)
    ]
    for row in rows:
        # A line just beyond the bar would cross the number, so the number moves behind the line.
        value, reference = row["value"], row["reference"]
        if None not in (value, reference) and value <= reference <= value + ROOM * top:
            row["end"] = reference
    base = alt.Chart({"values": rows}).encode(
        alt.X(
            "value:Q",
            title=title,
            scale=alt.Scale(domain=[0, (1 + ROOM) * top], nice=False),
            axis=axis_within(0, top),
        ),
        alt.Y("label:N", sort=labels, axis=None),
    )
    color = color_by_label(labels)
    bars = base.mark_bar(cornerRadiusEnd=4, size=THICKNESS).encode(
        color=color,
        tooltip=[alt.Tooltip("label:N", title="variant"), alt.Tooltip("value:Q", title=title)],
    )
    beside = {"align": "left", "fontSize": VALUE_SIZE, "dx": 8}
    numbers = base.mark_text(**beside).encode(
        x=alt.X("end:Q"), text=alt.Text("value:Q", format=format), color=color
    )
    names = base.mark_text(fontSize=LABEL_SIZE, align="left", dy=-THICKNESS / 2 - 13, color=INK)
    known = base.transform_filter("isValid(datum.reference)").transform_calculate(
        words=f"'{reference_name} ' + format(datum.reference, '{format}')"
    )
    lines = known.mark_tick(thickness=3, height=THICKNESS + 6, color=INK).encode(
        x=alt.X("reference:Q")
    )
    # The name points toward the middle, so that it is never cut off.
    side = alt.ExprRef(f"datum.reference > {0.5 * top} ? 'right' : 'left'")
    below = {"dy": THICKNESS / 2 + 13, "fontWeight": "normal", "color": INK}
    said = known.mark_text(align=side, **below).encode(
        x=alt.X("reference:Q"), text=alt.Text("words:N")
    )
    chart = alt.layer(
        bars, numbers, names.encode(x=alt.XValue(0), text=alt.Text("label:N")), lines, said
    )
    step = 86 if any(reference is not None for reference in references) else 64
    about = f"Bars of {title} by variant: {_listed(labels, values)}."
    return specification(chart, AXIS + step * len(labels), about)


@built_once
def large_bars(labels: list[str], values: list[float], format: str) -> Spec:
    """Return one thick bar per label, from 0, below its name and number in the type of a lecture
    hall. The chart needs no axis."""
    rows = [
        {"label": label, "value": value, "text": f"{label}: {value:{format}}"}
        for label, value in zip(labels, values, strict=True)
    ]
    base = alt.Chart({"values": rows}).encode(
        y=alt.Y("label:N", sort=labels, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    )
    bars = base.mark_bar(size=14, cornerRadiusEnd=3, yOffset=10).encode(
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, max(values)], nice=False)),
        color=color_by_label(labels),
        tooltip=[*map(alt.Tooltip, ("label:N", "value:Q"))],
    )
    names = base.mark_text(fontSize=LABEL_SIZE + 2, align="left", dy=-9, color=INK).encode(
        x=alt.XValue(0), text=alt.Text("text:N")
    )
    about = f"Bars by variant: {_listed(labels, values)}."
    return specification(alt.layer(bars, names), 112, about) | {"padding": {"bottom": 0}}


@built_once
def speedups(rows: list[dict]) -> Spec:
    """Return one dot per row of comparisons' JSON for its speed-up, with the 95% interval as a bar.
    The axis is logarithmic, with a mark at 1. A dot has no bar if its interval is not known yet. A
    baseline has no dot. A row is named by its `name`, if it has one, or else by its label."""
    dots = []
    for row in rows:
        if row["verdict"] == "baseline":
            continue
        value, ends = row["speedup"], row["speedup_ci95"]
        interval = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
        low, high = ends or (value, value)
        dots.append(
            {
                "name": row.get("name", row["label"]),
                "label": row["label"],
                "value": value,
                "low": low,
                "high": high,
                "text": f"{value:.2f}{interval}",
            }
        )
    lowest, highest = min(dot["low"] for dot in dots), max(dot["high"] for dot in dots)
    x = alt.X(
        "value:Q",
        title="speed-up (log scale)",
        scale=alt.Scale(
            type="log", domain=[min(0.5, lowest * 0.8), max(2.0, highest * 1.6)], nice=False
        ),
        axis=alt.Axis(
            values=[2.0**i for i in range(-3, 8) if lowest <= 2.0**i <= highest or i == 0],
            format="~g",
        ),
    )
    names = [dot["name"] for dot in dots]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=240, ticks=False))
    color = color_by_label([row["label"] for row in rows])
    one = alt.Chart({"values": [{"value": 1.0}]}).encode(x=x)
    base = alt.Chart({"values": dots}).encode(x=x, y=y, color=color)
    words = base.encode(text=alt.Text("text:N"))
    above = {"fontSize": LABEL_SIZE, "dy": -22}
    chart = alt.layer(
        one.mark_rule(color=INK, strokeDash=[6, 4], size=2),
        base.mark_rule(size=5).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        *interval_ends(base),
        base.mark_point(filled=True, size=240, opacity=1).encode(
            tooltip=[
                alt.Tooltip("name:N", title="variant"),
                alt.Tooltip("value:Q", title="speed-up"),
                *map(alt.Tooltip, ("low:Q", "high:Q")),
            ]
        ),
        words.mark_text(**above, **HALO).encode(color=alt.ColorValue(GROUND)),
        words.mark_text(**above),
    )
    told = ", ".join(f"{dot['name']} {dot['text']}" for dot in dots)
    about = f"Speed-ups with their 95% intervals: {told}."
    return specification(chart, 100 + 60 * len(dots), about)


@built_once
def block_times(results: list[dict]) -> Spec:
    """Return a light line per row of a comparison's JSON through the milliseconds per token of its
    blocks, by round."""
    labels = [result["label"] for result in results]
    times = [
        [1e3 * block["wall_s"] / block["tokens"] for block in result["blocks"]]
        for result in results
    ]
    rows = [
        {"label": label, "round": i, "time": round(time, 6)}
        for label, own in zip(labels, times, strict=True)
        for i, time in enumerate(own, start=1)
    ]
    rounds, height = max(map(len, times)), max(220, 40 * len(labels))
    # Labels are right of the lines, at the medians: the ends of the lines may jump and meet.
    middles = list(map(statistics.median, times))
    places = _apart(middles, 18 / (height - 70) * max(row["time"] for row in rows))
    names = [
        {"label": label, "round": rounds, "place": place}
        for label, place in zip(labels, places, strict=True)
    ]
    x = alt.X(
        "round:Q",
        title="round",
        scale=alt.Scale(domain=[1, max(2.0, rounds * 1.8)], nice=False),
        axis=axis_within(1, rounds, whole=True, format="d"),
    )
    y = alt.Y("time:Q", title="ms per token", scale=alt.Scale(zero=True, nice=False))
    color = color_by_label(labels)
    lines = alt.Chart({"values": rows}).mark_line(strokeWidth=2, opacity=0.85, point={"size": 30})
    words = alt.Chart({"values": names}).mark_text(align="left", dx=12)
    chart = alt.layer(
        lines.encode(
            x=x,
            y=y,
            color=color,
            tooltip=[*map(alt.Tooltip, ("label:N", "round:Q")), alt.Tooltip("time:Q", title="ms")],
        ),
        words.encode(x=x, y=alt.Y("place:Q"), text=alt.Text("label:N"), color=color),
    )
    about = f"Time per token in each round: one line each for {', '.join(labels)}."
    return specification(chart, height, about)


@built_once
def changes(labels: list[str], measures: dict[str, list[float]]) -> Spec:
    """Return bars of the change against the baseline, which is the first label: one row per label,
    below a row that names the measure."""
    rows = [
        {
            "row": f"{measure}|{label}",
            "measure": measure,
            "label": label,
            "change": value / values[0] - 1,
            "text": _percent(value / values[0] - 1),
        }
        for measure, values in measures.items()
        for label, value in zip(labels[1:], values[1:], strict=True)
    ]
    places = [f"{measure}|{label}" for measure in measures for label in ("", *labels[1:])]
    found = [row["change"] for row in rows]
    room = 0.2 * max(0.05, *map(abs, found))
    domain = [min(0.0, *found) - room, max(0.0, *found) + room]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "change:Q",
            title="change against the baseline",
            scale=alt.Scale(domain=domain, nice=False),
            axis=axis_within(min(0.0, *found), max(0.0, *found), 5, format="+~%"),
        ),
        y=alt.Y(
            "row:N",
            title=None,
            scale=alt.Scale(domain=places),
            axis=alt.Axis(
                ticks=False,
                labelLimit=200,
                labelOverlap=False,
                labelExpr="split(datum.label, '|')[1] || split(datum.label, '|')[0]",
                labelFontWeight=alt.when("indexof(datum.value, '|') == length(datum.value) - 1")
                .then(alt.value("bold"))
                .otherwise(alt.value("normal")),
            ),
        ),
    )
    beside = {
        "align": alt.ExprRef("datum.change < 0 ? 'right' : 'left'"),
        "dx": alt.ExprRef("datum.change < 0 ? -6 : 6"),
    }
    chart = alt.layer(
        base.mark_bar().encode(
            color=color_by_label(labels),
            tooltip=[
                *map(alt.Tooltip, ("measure:N", "label:N")),
                alt.Tooltip("text:N", title="change"),
            ],
        ),
        base.mark_text(color=INK, **beside).encode(text=alt.Text("text:N")),
    )
    told = ", ".join(f"{row['measure']} of {row['label']} {row['text']}" for row in rows)
    about = f"Changes against {labels[0]}: {told}."
    return specification(chart, AXIS + 24 * len(places), about)


def _listed(labels: list[str], values: list[float | None]) -> str:
    """Return labels with their values, for a description."""
    known = zip(labels, values, strict=True)
    return ", ".join(
        f"{label} {'–' if value is None else f'{value:.4g}'}" for label, value in known
    )


def _percent(change: float) -> str:
    return "0.0%" if abs(change) < 0.0005 else minus(f"{change:+.1%}")


def _apart(values: list[float], gap: float) -> list[float]:
    """Return the values, from 0 up, moved so that they are at least the gap apart."""
    places, lowest = {}, 0.0
    for i in sorted(range(len(values)), key=values.__getitem__):
        places[i] = max(values[i], lowest)
        lowest = places[i] + gap
    return [places[i] for i in range(len(values))]
