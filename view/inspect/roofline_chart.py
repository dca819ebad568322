"""The roofline as a chart: the machine's limits, and how close each module comes to them."""

import altair as alt

from view.inspect.charts import color_of_variants
from view.shared.chart_cache import built_once
from view.shared.charts import GROUND, HALO, INK, SMALL_SIZE, Spec, specification
from wlm.inspecting.roofline import Roofline

DECADES = [10.0**power for power in range(-2, 6)]


@built_once
def roofline(points: list[dict], roof: Roofline) -> Spec:
    """Return the machine's ceilings as lines and modules as points: operations per byte against
    operations per second, both on log axes. Each point has label, module, ops_per_byte and
    ops_per_s."""
    rows = [{**row, "x": row["ops_per_byte"], "y": row["ops_per_s"] / 1e9} for row in points]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    peaks = {"fp32 peak": roof.fp32_ops_per_s, "int8 peak": roof.int8_ops_per_s}
    if any("bf16" in label for label in labels):
        peaks["bf16 peak"] = roof.bf16_ops_per_s
    peaks = {name: peak for name, peak in peaks.items() if peak}
    slopes = {"caches": roof.cache_bytes_per_s, "memory": roof.memory_bytes_per_s}
    # Room at the left for the slopes' names, at the right for the peaks'.
    left = min(row["x"] for row in rows) / 10
    right = 15 * max(*(row["x"] for row in rows), max(peaks.values()) / min(slopes.values()))
    low = min(left * min(slopes.values()) / 1e9, *(row["y"] for row in rows)) / 4
    high = max(max(peaks.values()) / 1e9, *(row["y"] for row in rows)) * 2.2
    x = alt.X(
        "x:Q",
        title="operations per byte moved (log scale)",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=alt.Axis(values=_within(left, right), format="~g"),
    )
    y = alt.Y(
        "y:Q",
        title="billion operations per second (log scale)",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=_within(low, high), format="~g"),
    )
    ceilings = alt.Chart({"values": _ceilings(peaks, slopes, left, right)}).encode(
        x=x,
        y=y,
        detail=alt.Detail("line:N"),
        strokeDash=alt.StrokeDash(
            "from_memory:N",
            scale=alt.Scale(domain=[True, False], range=[[1, 0], [5, 4]]),
            legend=None,
        ),
    )
    color = color_of_variants(labels)
    of_modules = alt.Legend(
        title=None,
        orient="top",  # beside the other legend, it would not fit a phone
        symbolFillColor=INK,
        symbolStrokeWidth=0,
        values=list(dict.fromkeys(row["module"] for row in rows)),
        columns=2,
    )
    shape = alt.Shape(
        "module:N",
        scale=alt.Scale(domain=["LSTM", "decoder"], range=["circle", "square"]),
        legend=of_modules,
    )
    dots = alt.Chart({"values": rows}).mark_point(filled=True, size=170, opacity=1)
    layers = [
        ceilings.mark_line(color=INK, strokeWidth=2, clip=True),
        dots.encode(
            x=x,
            y=y,
            color=color,
            shape=shape,
            tooltip=[
                *map(alt.Tooltip, ("label:N", "module:N")),
                alt.Tooltip("x:Q", title="operations per byte", format=".3~r"),
                alt.Tooltip("y:Q", title="Gop/s", format=",.3~r"),
            ],
        ),
    ]
    if len(labels) <= 2:  # more variants: names of the same module overlap
        highest = {label: max(r["y"] for r in rows if r["label"] == label) for label in labels}
        for above, dy in ((True, -16), (False, 17)):
            chosen = [row for row in rows if (row["y"] >= highest[row["label"]]) == above]
            names = alt.Chart({"values": chosen}).encode(x=x, y=y, text=alt.Text("module:N"))
            layers.append(names.mark_text(dy=dy, **HALO).encode(color=alt.ColorValue(GROUND)))
            layers.append(names.mark_text(dy=dy).encode(color=color))
    # Each name is on the empty side of its line.
    bend = max(peaks.values()) / slopes["caches"] / 1.4
    for rows, side in (
        (
            [{"x": right, "y": peak / 1e9, "words": name} for name, peak in peaks.items()],
            {"align": "right", "dy": -10},
        ),
        (
            [{"x": bend, "y": bend * slopes["caches"] / 1e9, "words": "caches"}],
            {"align": "right", "dx": -10},
        ),
        (
            [{"x": left, "y": left * slopes["memory"] / 1e9, "words": "memory"}],
            {"align": "left", "dx": 6, "dy": 12},
        ),
    ):
        look = {"fontSize": SMALL_SIZE - 1, "fontWeight": "normal", "color": INK}
        names = alt.Chart({"values": rows}).mark_text(**look, **side)
        layers.append(names.encode(x=x, y=y, text=alt.Text("words:N")))
    about = (
        "Operations per second of each module against its operations per byte, under the lines of "
        "what memory, caches and arithmetic allow at best."
    )
    return specification(alt.layer(*layers), 440, about)


def _within(low: float, high: float) -> list[float]:
    return [tick for tick in DECADES if low <= tick <= high]


def _ceilings(
    peaks: dict[str, float], slopes: dict[str, float], left: float, right: float
) -> list[dict]:
    """Return the ends of each line: first the speed of memory or caches, then of computing."""
    ends = []
    for name, speed in slopes.items():
        bend = max(peaks.values()) / speed
        ends += [(name, at, at * speed, name == "memory") for at in (left, bend)]
    for name, peak in peaks.items():
        start = peak / max(slopes.values())
        ends += [(name, at, peak, True) for at in (start, right)]
    return [
        {"line": name, "x": at, "y": speed / 1e9, "from_memory": from_memory}
        for name, at, speed, from_memory in ends
    ]
