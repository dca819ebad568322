"""The charts of a sweep: a curve per variant, its interval as a band."""

import math
import textwrap
from collections.abc import Sequence

from view.shared.built import built_once
from view.shared.charts import (
    INK,
    LABEL_SIZE,
    Spec,
    category,
    chart,
    colored,
    group,
    layer,
    mark,
    quantity,
    words,
)

HEIGHT, PLOT_HEIGHT = 380, 320  # pixels, with and without the horizontal axis
LINE_HEIGHT, LINE_LENGTH = 18, 14  # of the curves' names: pixels, letters

WIDE_RANGE = 6  # from here on, largest over smallest value, steps are even on a log axis only


@built_once
def speedup_curves(
    rows: list[dict], labels: list[str], values: Sequence[int], *, knob: str
) -> Spec:
    """Return each variant's speed-up over the knob's values, with its 95% interval as a band, on a
    log axis where 1 is marked.

    `rows` are those of `wlm.measuring.sweep.curves`, as many as there are yet; `labels` all
    variants, the baseline first, which has no curve but the first colour; `values` all of the
    knob's, ascending.
    """
    rows = [row for row in rows if row["label"] != labels[0]]
    title = f"times as fast as {labels[0]} (log scale)"
    return _curves(rows, labels, values, "speedup", title, knob)


@built_once
def token_curves(rows: list[dict], labels: list[str], values: Sequence[int], *, knob: str) -> Spec:
    """Return each variant's tokens per second over the knob's values, on a log axis."""
    return _curves(rows, labels, values, "tokens_per_s", "tokens per second (log scale)", knob)


def _curves(
    rows: list[dict],
    labels: list[str],
    values: Sequence[int],
    measure: str,
    title: str,
    knob: str,
) -> Spec:
    first, last = values[0], values[-1]
    scale = "log" if last >= WIDE_RANGE * first else "linear"
    # Room to the right for the names of the curves.
    room = last * (last / first) ** 0.55 if scale == "log" else last + 0.55 * max(1, last - first)
    x = quantity(
        "value",
        title=knob.replace(", log scale", "") if scale == "linear" else knob,
        scale={"type": scale, "domain": [first, max(room, first + 1)], "nice": False},
        axis={"values": list(values), "format": "d", "labelOverlap": True},
    )
    is_ratio = measure == "speedup"
    shown = [measure, "low", "high"] if is_ratio else [measure]
    low, high = _extent(rows, measure, shown)
    domain = [min(low * 0.85, 0.8 if is_ratio else low), max(high * 1.25, low * 2)]
    up = {
        "title": title,
        "scale": {"type": "log", "domain": domain, "nice": False},
        "axis": {"values": _ticks(*domain), "format": "~s" if high >= 1000 else "~g"},
    }
    y, color = quantity(measure, **up), colored(labels)
    layers = []
    if is_ratio:
        # As far as the curves go: their names stand beyond.
        one = [{"value": first, "one": 1.0}, {"value": last, "one": 1.0}]
        dashes = mark("line", color=INK, strokeDash=[6, 4], strokeWidth=2)
        layers.append(layer(dashes, one, x=x, y=quantity("one", **up)))
        ends = {"x": x, "y": quantity("low", **up), "y2": {"field": "high"}, "color": color}
        # Broken, not bridged, where a point has no interval.
        band = mark("area", opacity=0.25, clip=True, invalid="break-paths-filter-domains")
        layers.append(layer(band, rows, **ends))
        # A band is invisible where it is narrow, or where its neighbours have none.
        known = [row for row in rows if row["low"] is not None]
        layers.append(layer(mark("rule", size=3, clip=True), known, **ends))
    tooltip = [category("label"), quantity("value", title=knob), *map(quantity, shown)]
    line, dot = mark("line", strokeWidth=3), mark("point", filled=True, size=110, opacity=1)
    layers.append(
        group(
            rows,
            layer(line, x=x, y=y, color=color),
            layer(dot, x=x, y=y, color=color, tooltip=tooltip),
        )
    )
    beside = {"align": "left", "baseline": "middle", "dx": 12}
    names = words(LABEL_SIZE, lineBreak="\n", lineHeight=LINE_HEIGHT, **beside)
    named = _names(rows, measure, domain)
    layers.append(layer(names, named, x=x, y=y, text=category("text"), color=color))
    return chart(*layers, height=HEIGHT)


def _extent(rows: list[dict], measure: str, shown: list[str]) -> tuple[float, float]:
    """The lowest and the highest value. An interval from few rounds may be huge: it is cut off
    rather than let flatten the curves."""
    middles = [row[measure] for row in rows]
    found = [row[key] for row in rows for key in shown if row[key] is not None]
    return max(min(found), min(middles) / 1.5), min(max(found), max(middles) * 1.5)


def _names(rows: list[dict], measure: str, domain: list[float]) -> list[dict]:
    """Where each curve's name goes: beside its last point, moved where it would cover another."""
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
    """Round numbers within a range, close enough to read a log axis."""
    steps = (1, 2, 5) if high / low > 4 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**power for power in range(-3, 8) for step in steps]
    return [tick for tick in ticks if low <= tick <= high]
