"""The charts of a sweep: one curve per variant, with its interval as a band."""

import math
import textwrap
from collections.abc import Sequence

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import GROUND, INK, LABEL_SIZE, Spec, color_by_label, specification

HEIGHT, PLOT_HEIGHT = 380, 320  # pixels, with and without the horizontal axis
LINE_HEIGHT, LINE_LENGTH = 18, 14  # of the curves' names: pixels, letters

WIDEST = 4  # an interval is drawn up to this factor beyond the curves
WIDE_RANGE = 6  # above this ratio of largest to smallest value, only a log axis has even steps
MEASURES = {  # and the titles of their axes
    "speedup": "speed-up against {} (log scale)",
    "tokens_per_s": "tokens per second (log scale)",
    "elapsed_ms": "ms per token (log scale)",
}


@built_once
def curves(
    rows: list[dict], labels: list[str], values: Sequence[int], measure: str, knob: str
) -> Spec:
    """Return a curve per variant of a measure over the knob's values, on a log axis.

    `rows` are the rows of `wlm.measuring.sweep.curves` so far. `labels` are all variants; the first
    is the baseline. `values` are all values of the knob, ascending. `measure` is `speedup`, with
    95% intervals as bands, a mark at 1 and no curve for the baseline; `tokens_per_s`; or
    `elapsed_ms`, with the CPU time as a dashed line.
    """
    is_ratio, title = measure == "speedup", MEASURES[measure].format(labels[0])
    if is_ratio:
        rows = [row for row in rows if row["label"] != labels[0]]
    second = "cpu_ms" if measure == "elapsed_ms" else None
    first, last = values[0], values[-1]
    scale = "log" if last >= WIDE_RANGE * first else "linear"
    # The names of the curves need space on the right.
    room = last * (last / first) ** 0.55 if scale == "log" else last + 0.55 * max(1, last - first)
    x = alt.X(
        "value:Q",
        title=knob.replace(", log scale", "") if scale == "linear" else knob,
        scale=alt.Scale(type=scale, domain=[first, max(room, first + 1)], nice=False),
        axis=alt.Axis(values=list(values), format="d", labelOverlap=True),
    )
    shown = [measure, "low", "high"] if is_ratio else list(filter(None, [measure, second]))
    low, high = _extent(rows, shown)
    if is_ratio:
        low, high = min(low, 1.0), max(high, 1.0)  # the line at 1 has a tick
    domain = [min(low * 0.85, 0.8 if is_ratio else low), max(high * 1.25, low * 2)]
    y = alt.Y(
        f"{measure}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(
            values=_ticks(low, high),
            format="~s" if high >= 1000 else ".3~g",
        ),
    )
    base = alt.Chart({"values": rows}).encode(x=x, y=y, color=color_by_label(labels))
    layers = []
    if is_ratio:
        # The line ends where the curves end: their names are to the right.
        one = alt.Chart({"values": [{"value": first, "one": 1.0}, {"value": last, "one": 1.0}]})
        dashes = one.mark_line(color=INK, strokeDash=[6, 4], strokeWidth=2)
        layers.append(dashes.encode(x=x, y=alt.Y("one:Q")))
        ends = base.encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
        # If a point has no interval, the band is interrupted.
        layers.append(ends.mark_area(opacity=0.25, clip=True, invalid="break-paths-filter-domains"))
        # A band is invisible if it is narrow or if the points next to it have no interval.
        layers.append(ends.transform_filter("isValid(datum.low)").mark_rule(size=3, clip=True))
        for end, beyond, shape in (
            ("low", f"datum.low < {domain[0]}", "triangle-down"),
            ("high", f"datum.high > {domain[1]}", "triangle-up"),
        ):
            cut = base.transform_filter(f"isValid(datum.{end}) && {beyond}")
            arrow = cut.mark_point(shape=shape, filled=True, size=120, opacity=1)
            layers.append(arrow.encode(y=alt.YDatum(domain[end == "high"])))
    tooltip = [
        alt.Tooltip("label:N"),
        alt.Tooltip("value:Q", title=knob),
        *(alt.Tooltip(f"{name}:Q", format=",.4~r") for name in shown),
    ]
    layers.append(base.mark_line(strokeWidth=3))
    if second:
        dashed = base.mark_line(strokeWidth=3, strokeDash=[6, 4])
        layers.append(dashed.encode(y=alt.Y(f"{second}:Q")))
    # A ring means that it is undecided which variant is faster.
    fill = alt.when("datum.verdict === 'undecided'").then(alt.value(GROUND)) if is_ratio else None
    dots = base.mark_point(filled=True, size=110, opacity=1, strokeWidth=3)
    color = color_by_label(labels)
    dots = dots.encode(stroke=color, fill=fill.otherwise(color)) if fill is not None else dots
    layers.append(dots.encode(tooltip=tooltip))
    beside = {"align": "left", "baseline": "middle", "dx": 12}
    names = base.mark_text(fontSize=LABEL_SIZE, lineBreak="\n", lineHeight=LINE_HEIGHT, **beside)
    places = {"values": _names(rows, measure, domain)}
    layers.append(names.encode(text=alt.Text("text:N")).properties(data=places))
    about = f"A curve for each variant: {title} over {knob}."
    return specification(alt.layer(*layers), HEIGHT, about)


def _extent(rows: list[dict], shown: list[str]) -> tuple[float, float]:
    """Return the lowest and the highest value. An interval from few rounds may be huge: it is cut
    off beyond `WIDEST`, so that it does not flatten the curves."""
    middles = [row[key] for row in rows for key in shown if key not in ("low", "high")]
    found = [row[key] for row in rows for key in shown if row[key] is not None]
    return max(min(found), min(middles) / WIDEST), min(max(found), max(middles) * WIDEST)


def _names(rows: list[dict], measure: str, domain: list[float]) -> list[dict]:
    """Return the position of each curve's name: next to its last point, moved if it would cover
    another name."""
    bottom, top = map(math.log, domain)
    placed, free_from = [], 0.0
    for row in sorted({row["label"]: row for row in rows}.values(), key=lambda row: row[measure]):
        lines = textwrap.wrap(row["label"].replace("+ ", "+\u00a0"), LINE_LENGTH)
        half = 0.5 * len(lines) * LINE_HEIGHT / PLOT_HEIGHT
        height = (math.log(row[measure]) - bottom) / (top - bottom)
        height = max(height, free_from + half)
        free_from = height + half
        placed.append((row, lines, height, half))
    named, free_to = [], 1.0
    for row, lines, height, half in reversed(placed):
        height = min(height, free_to - half)
        free_to = height - half
        first_line = height + half - 0.5 * LINE_HEIGHT / PLOT_HEIGHT
        place = {measure: math.exp(bottom + first_line * (top - bottom)), "value": row["value"]}
        named.append({"label": row["label"], "text": "\n".join(lines), **place})
    return named


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers within a range, close enough together to read a log axis, or if there is
    none, the ends of the range."""
    steps = (1, 2, 5) if high / low > 4 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**power for power in range(-3, 8) for step in steps]
    return [tick for tick in ticks if low <= tick <= high] or [low, high]
