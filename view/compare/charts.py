"""The charts of a comparison: large type, direct labels, one color per variant."""

import statistics

import altair as alt

from view.compare.bars import AXIS
from view.shared.chart_cache import built_once
from view.shared.charts import (
    GROUND,
    HALO,
    INK,
    LABEL_SIZE,
    Spec,
    axis_within,
    color_by_label,
    interval_ends,
    specification,
)
from view.shared.page import minus


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


def _percent(change: float) -> str:
    return "0.0%" if abs(change) < 0.0005 else minus(f"{change:+.1%}")


def _apart(values: list[float], gap: float) -> list[float]:
    """Return the values, from 0 up, moved so that they are at least the gap apart."""
    places, lowest = {}, 0.0
    for i in sorted(range(len(values)), key=values.__getitem__):
        places[i] = max(values[i], lowest)
        lowest = places[i] + gap
    return [places[i] for i in range(len(values))]
