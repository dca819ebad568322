"""The charts of the Inspect page: stacked parts, a roofline, a grid, and errors."""

import altair as alt
import pandas as pd

from charts import readable
from wlm.roofline import Roofline
from wlm.weight_error import Histogram

SMALLEST_LABELLED = 0.015  # of the longest bar: a number beside less would not show what it names


def stacked_parts(
    labels: list[str],
    parts: list[dict[str, float]],
    *,
    title: str,
    format: str,
    unit: str,
    marked: str | None = None,
    ink: str,
) -> alt.LayerChart:
    """Return one lying bar a label, made of its parts, their values beside them and the sum at the
    end. A part called such as `LSTM 3` has the colour of all `LSTM`, and one number stands for
    them; the `marked` part is outlined."""
    segments, groups = [], []
    for label, values in zip(labels, parts, strict=True):
        start, by_group = 0.0, {}
        for i, (part, value) in enumerate(values.items()):
            group = part.rstrip("0123456789 ")
            row = {"label": label, "part": part, "group": group, "value": value}
            segments.append(
                {**row, "start": start, "end": start + value, "shade": 1.0 if i % 2 else 0.75}
            )
            first, sum = by_group.get(group, (start, 0.0))
            by_group[group] = first, sum + value
            start += value
        groups += [
            {"label": label, "group": group, "middle": first + sum / 2, "sum": sum}
            for group, (first, sum) in by_group.items()
        ]
    names = list(dict.fromkeys(row["group"] for row in segments))
    longest = max(sum(values.values()) for values in parts)
    totals = [
        {"label": label, "total": sum(values.values())}
        for label, values in zip(labels, parts, strict=True)
    ]
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=150, ticks=False))
    x = alt.X(
        "start:Q",
        title=title,
        scale=alt.Scale(domain=[0, longest * 1.22], nice=False),
        axis=alt.Axis(tickCount=4),
    )
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=names),
        legend=alt.Legend(title=None, orient="bottom", labelLimit=200, columns=4),
    )
    tooltip = [
        alt.Tooltip("label:N", title="variant"),
        alt.Tooltip("part:N"),
        alt.Tooltip("value:Q", title=title, format=".4~g"),
    ]
    base = alt.Chart(pd.DataFrame(segments))
    bars = base.mark_bar(size=34).encode(
        x=x,
        x2="end:Q",
        y=y,
        color=color,
        opacity=alt.Opacity("shade:Q", scale=None, legend=None),
        tooltip=tooltip,
    )
    outline = (
        base.transform_filter(alt.datum.part == (marked or ""))
        .mark_bar(size=34, fillOpacity=0, stroke=ink, strokeWidth=2.5, strokeDash=[7, 4])
        .encode(x=x, x2="end:Q", y=y)
    )
    shown = pd.DataFrame([row for row in groups if row["sum"] >= SMALLEST_LABELLED * longest])
    layers = [bars, outline]
    # Neighbours' numbers stand above and below in turn: they cannot meet.
    for place, side in ((-28, 0), (28, 1)):
        chosen = shown[shown["group"].map(names.index) % 2 == side]
        words = alt.Chart(chosen).mark_text(dy=place, fontSize=14, fontWeight=600)
        layers.append(
            words.encode(x="middle:Q", y=y, text=alt.Text("sum:Q", format=format), color=color)
        )
    ends = alt.Chart(pd.DataFrame(totals)).transform_calculate(
        words=f"format(datum.total, '{format}') + ' {unit}'"
    )
    layers.append(
        ends.mark_text(align="left", dx=8, fontSize=18, fontWeight=600, color=ink).encode(
            x="total:Q", y=y, text="words:N"
        )
    )
    return readable(alt.layer(*layers).properties(height=70 + 84 * len(labels)), ink)


def roofline(points: list[dict], roof: Roofline, *, ink: str) -> alt.LayerChart:
    """Return the machine's ceilings as lines and modules as points: operations per byte against
    operations per second, both on log axes. Each point has label, module, ops_per_byte and
    ops_per_s."""
    peaks = {"fp32 peak": roof.fp32_ops_per_s, "int8 peak": roof.int8_ops_per_s}
    peaks = {name: each for name, each in peaks.items() if each}
    slopes = {"caches": roof.cache_bytes_per_s, "memory": roof.memory_bytes_per_s}
    left = min(each["ops_per_byte"] for each in points) / 2.5
    right = 4 * max(
        *(each["ops_per_byte"] for each in points), max(peaks.values()) / min(slopes.values())
    )
    low = min(left * min(slopes.values()), *(each["ops_per_s"] for each in points)) / 1e9 / 1.5
    high = max(*peaks.values(), *(each["ops_per_s"] for each in points)) / 1e9 * 2.2
    lines, names = [], []
    for name, speed in slopes.items():
        bend = max(peaks.values()) / speed
        lines += [
            {"line": name, "x": at, "y": at * speed / 1e9, "from_memory": name == "memory"}
            for at in (left, bend)
        ]
        words = f"{name} {speed / 1e9:,.0f} GB/s"
        names.append({"x": left * 1.1, "y": left * 1.1 * speed / 1e9, "words": words, "dy": -12})
    for name, peak in peaks.items():
        start = peak / max(slopes.values())
        lines += [
            {"line": name, "x": at, "y": peak / 1e9, "from_memory": True} for at in (start, right)
        ]
        words = f"{name} {peak / 1e9:,.0f} Gop/s"
        names.append({"x": right, "y": peak / 1e9, "words": words, "dy": -10})
    x = alt.X(
        "x:Q",
        title="operations per byte moved",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=alt.Axis(values=[0.1, 1, 10, 100, 1000], format="~g"),
    )
    y = alt.Y(
        "y:Q",
        title="billion operations per second",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=[0.1, 1, 10, 100, 1000, 10000], format="~g"),
    )
    ceilings = (
        alt.Chart(pd.DataFrame(lines))
        .mark_line(color=ink, strokeWidth=2, clip=True)
        .encode(
            x=x,
            y=y,
            detail="line:N",
            strokeDash=alt.StrokeDash(
                "from_memory:N",
                scale=alt.Scale(domain=[True, False], range=[[1, 0], [5, 4]]),
                legend=None,
            ),
        )
    )
    data = pd.DataFrame(
        [{**each, "x": each["ops_per_byte"], "y": each["ops_per_s"] / 1e9} for each in points]
    )
    labels = list(dict.fromkeys(each["label"] for each in points))
    color = _of_variants(labels)
    dots = (
        alt.Chart(data)
        .mark_point(filled=True, size=170, opacity=1)
        .encode(x=x, y=y, color=color, tooltip=["label:N", "module:N", "x:Q", "y:Q"])
    )
    layers = [ceilings, dots]
    # Modules of one variant may lie one above the other: their names go to either side.
    for module, place in (("LSTM", {"align": "right", "dx": -12}), ("decoder", {"dx": 12})):
        chosen = alt.Chart(data[data["module"] == module])
        words = chosen.mark_text(**{"align": "left", **place}, fontSize=14, fontWeight=600)
        layers.append(words.encode(x=x, y=y, text="module:N", color=color))
    for align, chosen in (("left", names[:2]), ("right", names[2:])):
        words = alt.Chart(pd.DataFrame(chosen))
        layers.append(
            words.mark_text(align=align, dy=-12, fontSize=13, color=ink).encode(
                x=x, y=y, text="words:N"
            )
        )
    return readable(alt.layer(*layers).properties(height=400), ink)


def weights_on_grid(histogram: Histogram, *, title: str, ink: str) -> alt.LayerChart:
    """Return a histogram of weights with the numbers that can be stored as lines over it: a rug
    below where they are many. Counts are on a square-root scale, which shows the rare ones."""
    starts = [histogram.start + i * histogram.width for i in range(len(histogram.counts))]
    data = pd.DataFrame({"start": starts, "count": histogram.counts})
    data["end"] = data["start"] + histogram.width
    domain = [data["start"].iloc[0], data["end"].iloc[-1]]
    x = alt.X("start:Q", title=title, scale=alt.Scale(domain=domain, nice=False))
    y = alt.Y("count:Q", title="weights", scale=alt.Scale(type="sqrt"), axis=alt.Axis(tickCount=4))
    bars = (
        alt.Chart(data)
        .mark_bar(binSpacing=0)
        .encode(x=x, x2="end:Q", y=y, tooltip=["start:Q", "end:Q", "count:Q"])
    )
    layers = [bars]
    if histogram.grid:
        grid = alt.Chart(pd.DataFrame({"start": histogram.grid}))
        if len(histogram.grid) < 64:
            rules = grid.mark_rule(color=ink, strokeWidth=1, strokeDash=[3, 3], opacity=0.8)
            layers.append(rules.encode(x=x))
        else:
            rug = grid.mark_tick(color=ink, thickness=1, height=12, yOffset=-6, opacity=0.9)
            layers.append(rug.encode(x=x, y=alt.datum(0)))
    return readable(alt.layer(*layers).properties(height=260), ink)


def matrix_errors(rows: list[dict], labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return a dot for each weight matrix and variant at its ratio in decibels; rows have label,
    matrix and sqnr_db."""
    data = pd.DataFrame(rows)
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
    base = alt.Chart(data).encode(
        x=x, y=y, color=_of_variants(labels), tooltip=["label:N", "matrix:N", "sqnr_db:Q"]
    )
    dots = base.mark_point(filled=True, size=150, opacity=1)
    words = base.mark_text(align="left", dx=10, fontSize=14, fontWeight=600)
    chart = alt.layer(dots, words.encode(text=alt.Text("sqnr_db:Q", format=".0f")))
    height = 60 + 30 * data["matrix"].nunique()
    return readable(chart.properties(height=height), ink)


def errors_by_layer(rows: list[dict], labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return a line a variant through the parts of the model, in the order of a pass; rows have
    label, part and sqnr_db."""
    data = pd.DataFrame(rows)
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
    base = alt.Chart(data).encode(
        x=x, y=y, color=_of_variants(labels), tooltip=["label:N", "part:N", "sqnr_db:Q", "cosine:Q"]
    )
    lines = base.mark_line(strokeWidth=3, point={"size": 110, "filled": True})
    words = base.mark_text(dy=-16, fontSize=14, fontWeight=600)
    chart = alt.layer(lines, words.encode(text=alt.Text("sqnr_db:Q", format=".0f")))
    return readable(chart.properties(height=420), ink)


def _of_variants(labels: list[str]) -> alt.Color:
    """The variants' colours, the same in every chart, with a legend."""
    return alt.Color(
        "label:N",
        scale=alt.Scale(domain=labels),
        legend=alt.Legend(title=None, orient="bottom", labelLimit=300, columns=2),
    )
