"""The charts, in Altair: large type, direct labels, colours from the theme."""

import altair as alt
import pandas as pd

from view.shared.charts import GREY, LABEL_SIZE, VALUE_SIZE, readable


def bars_with_references(
    labels: list[str],
    values: list[float | None],
    references: list[float | None],
    *,
    title: str,
    format: str,
    reference_name: str,
    ink: str,
) -> alt.LayerChart:
    """Return one bar a label, its value beside it, and a faint line at each reference value.

    `title` is the axis title with its unit; `format` is a d3 number format; `ink` the colour of
    words. Two bars stand, more lie.
    """
    data = pd.DataFrame({"label": labels, "value": values, "reference": references})
    data["source"] = reference_name
    top = max(each for each in [*values, *references] if each is not None)
    lying, many = len(labels) > 2, len(labels) > 4
    # Two lines for "int8 LSTM + Linear": three charts share a screen's width.
    split = "indexof(datum.label, ' ')"
    two_lines = (
        f"{split} < 0 ? datum.label : "
        f"[slice(datum.label, 0, {split}), slice(datum.label, {split} + 1)]"
    )
    names = {
        "shorthand": "label:N",
        "sort": labels,
        "title": None,
        "axis": alt.Axis(
            labelAngle=0,
            labelExpr=two_lines,
            labelLimit=220,
            labelFontSize=14 if many else LABEL_SIZE,
            ticks=False,
        ),
    }
    numbers = {
        "shorthand": "value:Q",
        "title": title,
        "scale": alt.Scale(domain=[0, top * (1.7 if many else 1.4 if lying else 1.15)], nice=False),
        "axis": alt.Axis(tickCount=4),
    }
    base = alt.Chart(data)
    base = (
        base.encode(x=alt.X(**numbers), y=alt.Y(**names))
        if lying
        else base.encode(x=alt.X(**names), y=alt.Y(**numbers))
    )
    color = alt.Color("label:N", sort=labels, legend=None)
    bars = base.mark_bar(cornerRadiusEnd=4, size=26 if many else 30 if lying else 64).encode(
        color=color,
        tooltip=[alt.Tooltip("label:N", title="variant"), alt.Tooltip("value:Q", title=title)],
    )
    place = {"align": "left", "dx": 8} if lying else {"dy": -14}
    words = base.mark_text(
        fontSize=LABEL_SIZE if many else VALUE_SIZE, fontWeight=600, **place
    ).encode(text=alt.Text("value:Q", format=format), color=color)
    legend = alt.Legend(
        title=None,
        orient="bottom",
        labelLimit=300,
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeColor=GREY,
        symbolStrokeWidth=4,
    )
    if many:  # no room; the marks are explained below the charts
        legend = None
    # Beside its bar, so that it never crosses the number at the bar's end.
    beside = (
        {"height": 12, "yOffset": 19 if many else 24} if lying else {"width": 22, "xOffset": 48}
    )
    reference = {"x": "reference:Q"} if lying else {"y": "reference:Q"}
    marks = (
        base.transform_filter("isValid(datum.reference)")
        .mark_tick(thickness=4, **beside)
        .encode(
            **reference,
            color=alt.Color(
                "source:N",
                scale=alt.Scale(domain=[reference_name], range=[GREY]),
                legend=legend,
            ),
            tooltip=[alt.Tooltip("source:N"), alt.Tooltip("reference:Q", title=title)],
        )
    )
    chart = alt.layer(bars, words, marks).resolve_scale(color="independent")
    return readable(chart.properties(height=max(340, 58 * len(labels))), ink)


def speedups(
    labels: list[str], values: list[float], intervals: list[list[float] | None], *, ink: str
) -> alt.LayerChart:
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
    data = pd.DataFrame(rows)
    domain = [min(0.5, data["low"].min() * 0.8), max(2.0, data["high"].max() * 1.6)]
    x = alt.X(
        "value:Q",
        title="times as fast (log scale)",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(values=[0.25, 0.5, 1, 2, 4, 8, 16, 32], format="~g"),
    )
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=240, ticks=False))
    color = alt.Color("label:N", scale=alt.Scale(domain=labels), legend=None)
    base = alt.Chart(data)
    one = alt.Chart(pd.DataFrame({"value": [1.0]})).mark_rule(color=ink, strokeDash=[6, 4], size=2)
    bars = base.mark_rule(size=5).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=color)
    dots = base.mark_point(filled=True, size=240, opacity=1).encode(
        x=x, y=y, color=color, tooltip=["label:N", "value:Q", "low:Q", "high:Q"]
    )
    words = base.mark_text(dy=-22, fontSize=LABEL_SIZE, fontWeight=600).encode(
        x="value:Q", y=y, text="text:N", color=color
    )
    chart = alt.layer(one.encode(x=x), bars, dots, words)
    return readable(chart.properties(height=100 + 60 * len(rows)), ink)


def block_times(labels: list[str], times: list[list[float]], *, ink: str) -> alt.LayerChart:
    """Return a light line a label through its blocks' milliseconds per token, round by round."""
    data = pd.DataFrame(
        [
            {"label": label, "round": i + 1, "time": 1e3 * seconds}
            for label, each in zip(labels, times, strict=True)
            for i, seconds in enumerate(each)
        ]
    )
    rounds = int(data["round"].max())
    # Words to the right of the lines, at their middle heights: ends may jump and meet.
    middles = data.groupby("label", as_index=False)["time"].median().assign(round=rounds)
    height = max(220, 40 * len(labels))
    middles["place"] = _apart(middles["time"], 18 / (height - 70) * data["time"].max())
    x = alt.X(
        "round:Q",
        title="round",
        scale=alt.Scale(domain=[1, max(2.0, rounds * 1.5)], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    y = alt.Y("time:Q", title="ms per token", scale=alt.Scale(zero=True))
    color = alt.Color("label:N", scale=alt.Scale(domain=labels), legend=None)
    lines = alt.Chart(data).mark_line(strokeWidth=2, opacity=0.85, point={"size": 30})
    words = alt.Chart(middles).mark_text(align="left", dx=12, fontSize=14, fontWeight=600)
    chart = alt.layer(
        lines.encode(x=x, y=y, color=color, tooltip=["label:N", "round:Q", "time:Q"]),
        words.encode(x=x, y="place:Q", text="label:N", color=color),
    )
    return readable(chart.properties(height=height), ink)


def changes(labels: list[str], measures: dict[str, list[float]], *, ink: str) -> alt.LayerChart:
    """Return bars of the change against the first label, the baseline: a group a measure."""
    data = pd.DataFrame(
        [
            {
                "measure": measure,
                "label": label,
                "change": value / values[0] - 1,
                "text": f"{value / values[0] - 1:+.1%}".replace("-", "−"),
            }
            for measure, values in measures.items()
            for label, value in zip(labels[1:], values[1:], strict=True)
        ]
    )
    room = 0.2 * max(0.05, data["change"].abs().max())
    domain = [min(0.0, data["change"].min()) - room, max(0.0, data["change"].max()) + room]
    x = alt.X(
        "change:Q",
        title="change against the baseline",
        scale=alt.Scale(domain=domain, nice=False),
        axis=alt.Axis(format="+.0%", tickCount=5),
    )
    y = alt.Y("measure:N", sort=list(measures), title=None, axis=alt.Axis(ticks=False))
    offset = alt.YOffset("label:N", sort=labels)
    color = alt.Color(
        "label:N",
        scale=alt.Scale(domain=labels),
        legend=alt.Legend(
            title=None, orient="bottom", values=labels[1:], columns=4, labelLimit=300
        ),
    )
    base = alt.Chart(data).encode(x=x, y=y, yOffset=offset)
    words = {"fontSize": 14, "fontWeight": 600}
    left = alt.datum.change < 0
    chart = alt.layer(
        base.mark_bar().encode(color=color),
        base.transform_filter(left)
        .mark_text(align="right", dx=-6, color=ink, **words)
        .encode(text="text:N"),
        base.transform_filter(~left)
        .mark_text(align="left", dx=6, color=ink, **words)
        .encode(text="text:N"),
    )
    return readable(chart.properties(height=max(100, 28 * len(labels)) * len(measures)), ink)


def _apart(values: pd.Series, gap: float) -> pd.Series:
    """Return places near values, from 0 up, none nearer to another than the gap."""
    places, lowest = {}, 0.0
    for i, value in values.sort_values().items():
        places[i] = max(value, lowest)
        lowest = places[i] + gap
    return pd.Series(places)
