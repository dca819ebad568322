"""The charts of the Inspect page: stacked parts, weights on their grid, and errors."""

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    INK,
    SMALL_SIZE,
    TWO_LINES,
    Spec,
    axis_within,
    color_by_label,
    color_by_part,
    specification,
)
from view.shared.histogram import histogram_layers
from wlm.inspecting.weight_error import Histogram

ROOM_FOR_NUMBER = 0.13  # of the longest bar: the width of a number on a narrow chart
LONGEST_BESIDE = 20  # letters of a name in a legend of two columns, on half a page
IDENTICAL = 100  # dB: from here on, activations and weights count as identical
ROW = 26  # pixels of a legend's row
SMALLEST_LABELLED = 0.015  # of the longest bar: less is too small for a number


@built_once
def stacked_parts(
    labels: list[str],
    parts: list[dict[str, float]],
    *,
    title: str,
    format: str,
    unit: str,
    marked: list[list[str]] | None = None,
    large: bool = False,
) -> Spec:
    """Return a horizontal bar per label, stacked from its parts, with their values next to them and
    the sum at the end. A part with a name such as `LSTM 3` belongs to the module `LSTM`, and one
    number is the sum for the module. In each bar the `marked` modules have an outline. A `large`
    chart has larger words and no axis."""
    small_type, type_size, thickness = (20, 24, 36) if large else (SMALL_SIZE, 16, 34)
    segments, groups = _segments(labels, parts)
    names = list(dict.fromkeys(row["group"] for row in segments))
    totals = [
        {"label": label, "total": sum(values.values())}
        for label, values in zip(labels, parts, strict=True)
    ]
    longest = max(row["total"] for row in totals)
    axis = alt.Axis(labelExpr=TWO_LINES, labelLimit=200, labelFontSize=type_size, ticks=False)
    y = alt.Y("label:N", sort=labels, title=None, axis=axis)
    along = {
        "title": title,
        "scale": alt.Scale(domain=[0, longest * 1.4], nice=False),
        "axis": None if large else axis_within(0, longest),
    }
    legend = alt.Legend(
        title=None,
        orient="bottom",
        symbolType="square",
        labelLimit=200,
        labelFontSize=small_type,
        columns=4 if large else 2,
    )
    color = color_by_part(names, legend)
    base = alt.Chart({"values": segments}).encode(alt.X("start:Q", **along), alt.X2("end:Q"), y)
    layers = [
        base.mark_bar(size=thickness).encode(
            color=color,
            opacity=alt.Opacity("shade:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("label:N", title="variant"),
                alt.Tooltip("part:N"),
                alt.Tooltip("value:Q", title=title, format=".4~g"),
            ],
        )
    ]
    if marked:
        of_bar = dict(zip(labels, marked, strict=True))
        outlined = [row for row in groups if row["group"] in of_bar[row["label"]]]
        dashes = {"stroke": INK, "strokeWidth": 2.5, "strokeDash": [7, 4]}
        outline = base.mark_bar(size=thickness, fillOpacity=0, **dashes)
        layers.append(outline.properties(data={"values": outlined}))
    # For a bar of one module, the sum at the end is enough.
    several = [row for row in groups if row["modules"] > 1]
    shown = [row for row in several if row["sum"] >= SMALLEST_LABELLED * longest]
    # Numbers of neighbors are above and below in turn, so they cannot overlap.
    for side, direction in enumerate((-1, 1)):
        on_side = [row for row in shown if names.index(row["group"]) % 2 == side]
        numbers = alt.Chart({"values": _with_room(on_side, ROOM_FOR_NUMBER * longest)}).mark_text(
            fontSize=small_type, dy=direction * (thickness + small_type + 8) / 2, color=INK
        )
        x, text = alt.X("middle:Q", **along), alt.Text("sum:Q", format=format)
        layers.append(numbers.encode(x=x, y=y, text=text))
    ends = alt.Chart({"values": totals}).transform_calculate(
        words=f"format(datum.total, '{format}') + ' {unit}'"
    )
    ends = ends.mark_text(fontSize=type_size, align="left", dx=8, color=INK)
    layers.append(ends.encode(x=alt.X("total:Q", **along), y=y, text=alt.Text("words:N")))
    height = 60 + 106 * len(labels) if large else 130 + 94 * len(labels)
    sums = [f"{row['label']} {row['total']:.4g} {unit}" for row in totals]
    about = f"Stacked bars of {title} by part of the model: {', '.join(sums)}."
    return specification(alt.layer(*layers), height, about)


def _segments(labels: list[str], parts: list[dict[str, float]]) -> tuple[list[dict], list[dict]]:
    """Return the pieces of all bars, and the start and end of each module's pieces."""
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
            {
                "label": label,
                "group": group,
                "start": first,
                "middle": first + whole / 2,
                "end": first + whole,
                "sum": whole,
                "modules": len(by_group),
            }
            for group, (first, whole) in by_group.items()
        ]
    return segments, groups


def _with_room(numbers: list[dict], room: float) -> list[dict]:
    """Leave out the smaller of two numbers of a bar that would overlap."""
    kept: list[dict] = []
    for row in sorted(numbers, key=lambda row: -row["sum"]):
        same_bar = (other for other in kept if other["label"] == row["label"])
        if all(abs(other["middle"] - row["middle"]) >= room for other in same_bar):
            kept.append(row)
    return kept


@built_once
def weights_on_grid(histogram: Histogram, *, title: str) -> Spec:
    """Return a histogram of weights over the numbers that can be stored."""
    _, layers = histogram_layers(histogram, title)
    about = "How many weights have each value, with the numbers that can be stored as lines."
    return specification(alt.layer(*layers), 260, about)


@built_once
def matrix_errors(rows: list[dict], labels: list[str]) -> Spec:
    """Return a dot per weight matrix and variant at its ratio in decibels; rows have label, matrix
    and sqnr_db, None if nothing is rounded. Dots of a matrix are one below the other."""
    matrices = list(dict.fromkeys(row["matrix"] for row in rows))
    rows, domain = _to_identical(rows)
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "shown_db:Q",
            title="signal to rounding noise (dB)",
            scale=alt.Scale(domain=domain, nice=False, padding=24),
            axis=axis_within(*domain, labelExpr=IDENTICAL_LABEL),
        ),
        y=alt.Y(
            "matrix:N",
            sort=matrices,
            title=None,
            axis=alt.Axis(labelLimit=200, labelFontSize=SMALL_SIZE, ticks=False),
        ),
        yOffset=alt.YOffset("label:N", scale=alt.Scale(domain=labels)),
        color=color_of_variants(labels),
        tooltip=[
            *map(alt.Tooltip, ("label:N", "matrix:N")),
            alt.Tooltip("told:N", title="signal to noise"),
        ],
    )
    dots = base.mark_point(filled=True, size=150 if len(labels) < 3 else 60, opacity=1)
    layers = [dots]
    if len(labels) < 3:  # more would overlap
        numbers = base.mark_text(align="left", dx=10)
        layers.append(numbers.encode(text=alt.Text("number:N")))
    row = max(30, 8 + 9 * len(labels))
    height = 60 + row * len(matrices) + _legend(labels)
    about = f"Signal to rounding noise of each weight matrix under {', '.join(labels)}."
    return specification(alt.layer(*layers), height, about)


@built_once
def errors_by_layer(rows: list[dict], labels: list[str]) -> Spec:
    """Return a line per variant through the parts of the model, in the order of a pass; rows have
    label, part, cosine and sqnr_db, None if nothing is rounded. Lines are drawn next to each other,
    so that lines of equal errors are visible."""
    parts = list(dict.fromkeys(row["part"] for row in rows))
    rows, domain = _to_identical(rows)
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "part:N",
            sort=parts,
            title=None,
            axis=alt.Axis(
                labelAngle=-35, labelFontSize=SMALL_SIZE, labelOverlap=False, ticks=False
            ),
            scale=alt.Scale(padding=0.2),
        ),
        xOffset=alt.XOffset("label:N", scale=alt.Scale(domain=labels)),
        y=alt.Y(
            "shown_db:Q",
            title="signal to error (dB)",
            scale=alt.Scale(domain=domain, nice=False, padding=28),
            axis=axis_within(*domain, labelExpr=IDENTICAL_LABEL),
        ),
        color=color_of_variants(labels),
    )
    dot = {"size": 110 if len(labels) < 3 else 60, "filled": True}
    lines = base.mark_line(strokeWidth=3 if len(labels) < 3 else 2, point=dot)
    told = [
        *map(alt.Tooltip, ("label:N", "part:N")),
        alt.Tooltip("told:N", title="signal to error"),
        alt.Tooltip("cosine:Q", format=".5f"),
    ]
    layers = [lines.encode(tooltip=told)]
    numbers = rows
    if len(labels) > 1:  # else they overlap: show only each variant's largest error
        known = [row for row in rows if row["sqnr_db"] is not None]
        worst = [[row for row in known if row["label"] == label] for label in labels]
        worst = [min(own, key=_noise) for own in worst if own]
        numbers = list({row["part"]: row for row in sorted(worst, key=_noise)[::-1]}.values())
    noise = [row["sqnr_db"] for row in rows]
    dips = {i for i in range(1, len(noise) - 1) if _dips(noise[i - 1 : i + 2])}
    # In a dip the line would cross a number above it.
    for below, dy in ((False, -16), (True, 18)):
        chosen = [row for row in numbers if (rows.index(row) in dips) == below]
        words = base.mark_text(dy=dy).encode(text=alt.Text("number:N"))
        layers.append(words.properties(data={"values": chosen}))
    about = f"Signal to error after each part of the model under {', '.join(labels)}."
    return specification(alt.layer(*layers), 380 + _legend(labels), about)


IDENTICAL_LABEL = (
    f"datum.value == {IDENTICAL} ? 'identical' : datum.value > {IDENTICAL} ? '' : datum.label"
)


def _to_identical(rows: list[dict]) -> tuple[list[dict], list[float]]:
    """Return the rows with `shown_db`, at most IDENTICAL, and its words, and the scale's domain: a
    variant that differs only by the order of additions must not set the scale."""
    shown = []
    for row in rows:
        ratio = row["sqnr_db"]
        same = ratio is not None and ratio >= IDENTICAL
        number = "" if ratio is None else "identical" if same else f"{ratio:.0f}"
        told = "identical" if same else "" if ratio is None else f"{ratio:.1f} dB"
        capped = ratio if ratio is None else min(ratio, IDENTICAL)
        shown.append({**row, "shown_db": capped, "number": number, "told": told})
    known = [row["shown_db"] for row in shown if row["shown_db"] is not None]
    return shown, [min(known, default=0.0), max(known, default=IDENTICAL)]


def _legend(labels: list[str]) -> int:
    """Return the height of the legend below a chart; the legend reduces the chart's height."""
    return ROW * -(-len(labels) // _legend_columns(labels))


def _legend_columns(labels: list[str]) -> int:
    return 1 if max(map(len, labels)) > LONGEST_BESIDE else 2


def _noise(row: dict) -> float:
    return row["sqnr_db"]


def _dips(three: list[float | None]) -> bool:
    return None not in three and three[1] < min(three[0], three[2])


def color_of_variants(labels: list[str]) -> alt.Color:
    """Return the variants' colors, with a legend below the chart."""
    legend = alt.Legend(title=None, orient="bottom", columns=_legend_columns(labels))
    return color_by_label(labels, legend)
