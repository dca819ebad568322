"""The charts of the Inspect page: stacked parts, weights on their grid, and errors."""

import altair as alt
import pandas as pd

from view.shared.charts import readable
from wlm.inspecting.weight_error import Histogram

ROOM_FOR_NUMBER = 0.13  # of the longest bar: on a narrow chart a number is so wide
SMALLEST_LABELLED = 0.015  # of the longest bar: a number beside less would not show what it names


def stacked_parts(
    labels: list[str],
    parts: list[dict[str, float]],
    *,
    title: str,
    format: str,
    unit: str,
    marked: str | None = None,
    large: bool = False,
    ink: str,
) -> alt.LayerChart:
    """Return one lying bar a label, made of its parts, their values beside them and the sum at the
    end. A part called such as `LSTM 3` has the colour of all `LSTM`, and one number stands for
    them; the `marked` part is outlined. A `large` chart has larger words and no axis."""
    small_type, type_size, thickness = (20, 24, 40) if large else (14, 16, 34)
    segments, groups = [], []
    for label, values in zip(labels, parts, strict=True):
        start, by_group = 0.0, {}
        for part, value in values.items():
            group = part.rstrip("0123456789 ")
            shade = 0.7 if part[-1] in "13579" else 1.0  # every second layer, to tell them apart
            row = {"label": label, "part": part, "group": group, "value": value, "shade": shade}
            segments.append({**row, "start": start, "end": start + value})
            first, whole = by_group.get(group, (start, 0.0))
            by_group[group] = first, whole + value
            start += value
        groups += [
            {"label": label, "group": group, "middle": first + whole / 2, "sum": whole}
            for group, (first, whole) in by_group.items()
            if len(by_group) > 1  # the sum at the end says it already
        ]
    names = list(dict.fromkeys(row["group"] for row in segments))
    longest = max(sum(values.values()) for values in parts)
    totals = [
        {"label": label, "total": sum(values.values())}
        for label, values in zip(labels, parts, strict=True)
    ]
    # Two lines for "int8 LSTM + Linear": a phone is narrow.
    split = "indexof(datum.label, ' ')"
    two_lines = (
        f"{split} < 0 ? datum.label : "
        f"[slice(datum.label, 0, {split}), slice(datum.label, {split} + 1)]"
    )
    axis = alt.Axis(labelExpr=two_lines, labelLimit=200, labelFontSize=type_size, ticks=False)
    y = alt.Y("label:N", sort=labels, title=None, axis=axis)
    x = alt.X(
        "start:Q",
        title=title,
        scale=alt.Scale(domain=[0, longest * 1.4], nice=False),
        axis=None if large else alt.Axis(tickCount=4),
    )
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=names),
        legend=alt.Legend(
            title=None,
            orient="bottom",
            labelLimit=200,
            labelFontSize=small_type,
            columns=4 if large else 2,
        ),
    )
    tooltip = [
        alt.Tooltip("label:N", title="variant"),
        alt.Tooltip("part:N"),
        alt.Tooltip("value:Q", title=title, format=".4~g"),
    ]
    base = alt.Chart(pd.DataFrame(segments))
    bars = base.mark_bar(size=thickness).encode(
        x=x,
        x2="end:Q",
        y=y,
        color=color,
        opacity=alt.Opacity("shade:Q", scale=None, legend=None),
        tooltip=tooltip,
    )
    outline = (
        base.transform_filter(alt.datum.part == (marked or ""))
        .mark_bar(size=thickness, fillOpacity=0, stroke=ink, strokeWidth=2.5, strokeDash=[7, 4])
        .encode(x=x, x2="end:Q", y=y)
    )
    shown = [row for row in groups if row["sum"] >= SMALLEST_LABELLED * longest]
    layers = [bars, outline]
    # Neighbours' numbers stand above and below in turn: they cannot meet.
    for place, side in ((-1, 0), (1, 1)):
        on_side = [row for row in shown if names.index(row["group"]) % 2 == side]
        if not (chosen := _with_room(on_side, ROOM_FOR_NUMBER * longest)):
            continue
        words = alt.Chart(pd.DataFrame(chosen)).mark_text(
            dy=place * (thickness + small_type + 8) / 2, fontSize=small_type, fontWeight=600
        )
        layers.append(
            words.encode(x="middle:Q", y=y, text=alt.Text("sum:Q", format=format), color=color)
        )
    ends = alt.Chart(pd.DataFrame(totals)).transform_calculate(
        words=f"format(datum.total, '{format}') + ' {unit}'"
    )
    layers.append(
        ends.mark_text(align="left", dx=8, fontSize=type_size, fontWeight=600, color=ink).encode(
            x="total:Q", y=y, text="words:N"
        )
    )
    height = 60 + 106 * len(labels) if large else 130 + 94 * len(labels)
    return readable(alt.layer(*layers).properties(height=height), ink)


def _with_room(numbers: list[dict], room: float) -> list[dict]:
    """Leave out, of two numbers of a bar that would meet, the smaller one."""
    kept: list[dict] = []
    for row in sorted(numbers, key=lambda each: -each["sum"]):
        same_bar = (each for each in kept if each["label"] == row["label"])
        if all(abs(each["middle"] - row["middle"]) >= room for each in same_bar):
            kept.append(row)
    return kept


def weights_on_grid(histogram: Histogram, *, title: str, ink: str) -> alt.LayerChart:
    """Return a histogram of weights with the numbers that can be stored as lines over it: a rug
    below where they are many. Counts are on a square-root scale, which shows the rare ones."""
    # The last bin's end closes the outline.
    counts = [*histogram.counts, histogram.counts[-1]]
    starts = [histogram.start + i * histogram.width for i in range(len(counts))]
    data = pd.DataFrame({"start": starts, "count": counts})
    domain = [starts[0], starts[-1]]
    x = alt.X(
        "start:Q",
        title=title,
        scale=alt.Scale(domain=domain, nice=False),
        axis=alt.Axis(tickCount=5),
    )
    y = alt.Y("count:Q", title="weights", scale=alt.Scale(type="sqrt"), axis=alt.Axis(tickCount=4))
    layers = [alt.Chart(data).mark_area(interpolate="step-after").encode(x=x, y=y)]
    if histogram.grid:
        grid = alt.Chart(pd.DataFrame({"start": histogram.grid}))
        if len(histogram.grid) < 64:
            rules = grid.mark_rule(color=ink, strokeWidth=1, strokeDash=[3, 3], opacity=0.8)
            layers.append(rules.encode(x=x))
        else:
            rug = grid.mark_tick(color=ink, thickness=1, height=14, yOffset=-7, opacity=0.7)
            layers.append(rug.encode(x=x, y=alt.datum(0)))
    return readable(alt.layer(*layers).properties(height=260), ink)


def matrix_errors(rows: list[dict], labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return a dot for each weight matrix and variant at its ratio in decibels; rows have label,
    matrix and sqnr_db."""
    data = pd.DataFrame(rows).astype({"sqnr_db": float})  # None where exact
    x = alt.X(
        "sqnr_db:Q",
        title="signal to rounding noise (dB)",
        scale=alt.Scale(zero=False, padding=24),
        axis=alt.Axis(tickCount=5),
    )
    y = alt.Y(
        "matrix:N",
        sort=list(dict.fromkeys(data["matrix"])),
        title=None,
        axis=alt.Axis(labelLimit=200, labelFontSize=14, ticks=False),
    )
    color = color_of_variants(labels, shown=set(data["label"]))
    tooltip = ["label:N", "matrix:N", "sqnr_db:Q"]
    base = alt.Chart(data).encode(x=x, y=y, color=color, tooltip=tooltip)
    dots = base.mark_point(filled=True, size=150, opacity=1)
    words = base.mark_text(align="left", dx=10, fontSize=14, fontWeight=600)
    chart = alt.layer(dots, words.encode(text=alt.Text("sqnr_db:Q", format=".0f")))
    height = 60 + 30 * data["matrix"].nunique()
    return readable(chart.properties(height=height), ink)


def errors_by_layer(rows: list[dict], labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return a line a variant through the parts of the model, in the order of a pass; rows have
    label, part and sqnr_db."""
    data = pd.DataFrame(rows).astype({"sqnr_db": float})  # None where exact
    x = alt.X(
        "part:N",
        sort=list(dict.fromkeys(data["part"])),
        title=None,
        axis=alt.Axis(labelAngle=-35, labelFontSize=14, ticks=False),
        scale=alt.Scale(padding=0.6),
    )
    y = alt.Y(
        "sqnr_db:Q",
        title="signal to error (dB)",
        scale=alt.Scale(zero=False, padding=16),
        axis=alt.Axis(tickCount=5),
    )
    color = color_of_variants(labels, shown=set(data["label"]))
    tooltip = ["label:N", "part:N", "sqnr_db:Q", "cosine:Q"]
    base = alt.Chart(data).encode(x=x, y=y, color=color, tooltip=tooltip)
    layers = [base.mark_line(strokeWidth=3, point={"size": 110, "filled": True})]
    # In a dip the line would cross a number above it; of several lines the numbers would meet.
    noise = data["sqnr_db"]
    dip = (noise < noise.shift(1)) & (noise < noise.shift(-1))
    sides = ((data[~dip], -16), (data[dip], 18)) if data["label"].nunique() == 1 else ()
    for chosen, place in sides:
        words = alt.Chart(chosen).mark_text(dy=place, fontSize=14, fontWeight=600)
        number = alt.Text("sqnr_db:Q", format=".0f")
        layers.append(words.encode(x=x, y=y, color=color, text=number))
    return readable(alt.layer(*layers).properties(height=420), ink)


def color_of_variants(labels: list[str], shown: set[str]) -> alt.Color:
    """The variants' colours, the same in every chart, with a legend of those that are shown."""
    values = [label for label in labels if label in shown]
    legend = alt.Legend(title=None, orient="bottom", labelLimit=300, columns=2, values=values)
    return alt.Color("label:N", scale=alt.Scale(domain=labels), legend=legend)
