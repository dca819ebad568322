"""Size against loss: the variants of a result among all recorded variants."""

import math
import textwrap
from collections.abc import Sequence
from itertools import product

import altair as alt
import streamlit as st

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    GROUND,
    HALO,
    INK,
    SMALL_SIZE,
    Spec,
    axis_within,
    color_by_label,
    specification,
)
from view.shared.page import minus
from wlm.measuring.tradeoff import Place, front, places
from wlm.runs.recordings import recordings

HEIGHT, AXIS = 440, 70  # pixels: of the chart, and of them the horizontal axis with its title
FEWEST = 3  # for two, the other charts show everything
WIDE, NARROW = 760, 270  # pixels: the plot on a page and on a phone, for which names are placed
COVERED = 40  # pixels that a name may move away from its dot, to cover one other dot less
NEAR = 60  # pixels: a name that stands nearer to such a neighbor would seem to be the neighbor's
NARROWER = 480  # pixels: below this width, names are where a phone has them
LETTER, LINE = 8, 17  # pixels of a name: the width of a letter and the height of a line
BESIDE = 14  # pixels from a dot's center to its name
LINEAR = 0.002  # nats per token: below, the scale of the loss is nearly linear
TICKS = (0.0, *(sign * tick for sign in (1, -1) for tick in (0.001, 0.003, 0.01, 0.03, 0.1, 1.0)))


def show_tradeoff(result: dict, *, recorded: bool) -> None:
    """Show the bytes and loss of the variants of a comparison's JSON, recorded or not, among all
    recorded variants."""
    others = [run.result for run in recordings().values()]
    found = places([(result, recorded), *((other, True) for other in others)])
    if len(found) < FEWEST:
        return
    st.header("Size against loss", anchor="tradeoff")
    st.markdown(
        "Further left is smaller, lower is better, a larger dot is faster. No other variant beats "
        "the **ringed** ones in both size and loss."
    )
    chosen = [row["variant"] for row in result["results"]]
    st.vega_lite_chart(tradeoff_chart(found, chosen), key="chart-tradeoff")
    machines = {other["machine"]["cpu"] for other in others}
    if any(place.recorded for place in found):
        st.caption(
            f"Pale dots were recorded on {', '.join(sorted(machines))}, with the same weights and "
            "text. Bars are the 95% intervals of the loss difference: if two overlap, the order is "
            "not sure. Point at a dot for its numbers."
        )


@built_once
def tradeoff_chart(points: Sequence[Place], chosen: Sequence[str]) -> Spec:
    """Return one dot per variant at its file's megabytes and its loss difference from the baseline.

    The dot's bar is the interval, its area the speed-up; a pale dot was recorded, and a ring marks
    the front. The chosen variants and the front have their names and speed-ups next to them.
    """
    best, most = front(points), max(point.size_bytes for point in points) / 1e6
    ends = [end for point in points for end in point.ends or (point.loss_delta,)]
    lowest, highest = min(0.0, *ends), max(0.001, *ends)
    room = 0.08 * (_symlog(highest) - _symlog(lowest))
    domain = [_unsymlog(_symlog(lowest) - room), _unsymlog(_symlog(highest) + 2 * room)]
    rows = [
        {
            "label": point.label,
            "size": point.size_bytes / 1e6,
            "delta": point.loss_delta,
            "low": point.ends[0] if point.ends else point.loss_delta,
            "high": point.ends[1] if point.ends else point.loss_delta,
            "speedup": point.speedup,
            "from": "recorded" if point.recorded else "measured here",
            "filled": 0.25 if point.recorded else 0.9,
            "front": point in best,
        }
        for point in points
    ]
    x = alt.X(
        "size:Q",
        title="size (MB)",
        scale=alt.Scale(domain=[0, 1.1 * most], nice=False),
        axis=axis_within(0, most, 5),
    )
    y = alt.Y(
        "delta:Q",
        title="loss minus fp32's (nats, symlog scale)",
        scale=alt.Scale(type="symlog", constant=LINEAR, domain=domain, nice=False),
        axis=alt.Axis(
            values=[tick for tick in sorted(TICKS) if lowest <= tick <= highest], format="+.3~f"
        ),
    )
    base = alt.Chart({"values": rows}).encode(x=x)
    color = color_by_label([point.label for point in points])
    area = alt.Size("speedup:Q", scale=alt.Scale(type="linear", range=[60, 900]), legend=None)
    dots = base.mark_point(filled=True, strokeWidth=2.5, opacity=1).encode(
        y=y,
        size=area,
        fillOpacity=alt.FillOpacity("filled:Q", scale=None, legend=None),
        stroke=alt.Stroke("label:N", scale=color["scale"], legend=None),
        color=color,
        tooltip=[
            alt.Tooltip("label:N", title="variant"),
            alt.Tooltip("size:Q", title="MB", format=".1f"),
            alt.Tooltip("delta:Q", title="loss difference", format="+.4f"),
            alt.Tooltip("low:Q", title="from", format="+.4f"),
            alt.Tooltip("high:Q", title="to", format="+.4f"),
            alt.Tooltip("speedup:Q", title="speed-up", format=".2f"),
            alt.Tooltip("from:N", title="measured"),
        ],
    )
    rings = (
        base.transform_filter("datum.front")
        .mark_point(filled=False, stroke=INK, strokeWidth=3, opacity=1)
        .encode(y=y, size=area)
    )
    zero = alt.Chart({"values": [{"delta": 0.0}]}).mark_rule(color=GREY, strokeDash=[6, 4])
    chart = alt.layer(
        zero.encode(y=y),
        base.mark_rule(strokeWidth=3, color=GREY, opacity=0.4).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        dots,
        rings,
        *_names(points, [p for p in points if p.variant in chosen or p in best], x, y, domain),
    )
    told = ", ".join(
        f"{point.label} {point.size_bytes / 1e6:.1f} MB and {point.loss_delta:+.4f}"
        for point in points
        if point in best
    )
    about = (
        f"Dots of {len(points)} variants by size and loss difference. Not beaten in both: {told}."
    )
    return specification(chart, HEIGHT, minus(about))


def _names(
    points: Sequence[Place], named: list[Place], x: alt.X, y: alt.Y, domain: list[float]
) -> list[alt.Chart]:
    """Return the names of variants with their speed-ups as layers, on the chart's ground: on one
    line on a page, on several on a phone."""
    most, height = 1.1 * max(point.size_bytes for point in points), HEIGHT - AXIS
    low, high = map(_symlog, domain)

    def dot(point: Place, width: float) -> tuple[float, float]:
        down = (high - _symlog(point.loss_delta)) / (high - low)
        return width * point.size_bytes / most, height * down

    layers = []
    for width, shown in ((WIDE, f"width >= {NARROWER}"), (NARROW, f"width < {NARROWER}")):
        letters = 100 if width == WIDE else 16  # on a line
        texts = [
            textwrap.wrap(
                point.label + (f", {point.speedup:.1f}×" if point.speedup != 1.0 else ""), letters
            )
            for point in named
        ]
        dots = [dot(point, width) for point in points]
        spots = apart([dot(point, width) for point in named], texts, dots, width, height)
        rows = [
            {
                "size": point.size_bytes / 1e6,
                "delta": point.loss_delta,
                "text": lines,
                "align": align,
                "up": up,
            }
            for point, lines, (align, up) in zip(named, texts, spots, strict=True)
        ]
        layers += [
            alt.Chart({"values": rows})
            .transform_filter(shown)
            .mark_text(
                align=alt.ExprRef("datum.align"),
                baseline="top",
                lineHeight=LINE,
                fontSize=SMALL_SIZE,
                dx=alt.ExprRef(f"datum.align == 'left' ? {BESIDE} : -{BESIDE}"),
                dy=alt.ExprRef("datum.up"),
                **ground,
            )
            .encode(x=x, y=y, text=alt.Text("text:N"), color=alt.ColorValue(ink))
            for ground, ink in ((HALO, GROUND), ({}, INK))
        ]
    return layers


def apart(
    named: Sequence[tuple[float, float]],
    texts: Sequence[Sequence[str]],
    dots: Sequence[tuple[float, float]],
    width: float,
    height: float,
) -> list[tuple[str, float]]:
    """Return for each name, next to its dot at (x, y) pixels, its alignment and its offset down in
    pixels, such that names are within the plot and cover no other name, and no dot if possible."""
    taken: list[tuple[float, float, float, float]] = []
    spots = []
    for (x, y), lines in zip(named, texts, strict=True):
        wide, high = LETTER * max(map(len, lines)), LINE * len(lines)
        candidates = []
        for shift, align in product(range(-240, 241, 6), ("left", "right")):
            left = x + BESIDE if align == "left" else x - BESIDE - wide
            top = y - high / 2 + shift
            box = (left, top, left + wide, top + high)
            if left < 0 or box[2] > width or top < 0 or box[3] > height:
                continue
            if any(_overlap(box, other) for other in taken):
                continue
            covered = sum(
                _overlap(box, (dot_x - 12, dot_y - 12, dot_x + 12, dot_y + 12))
                for dot_x, dot_y in dots
            )
            nearer = any(
                abs(dot_x - x) < NEAR and abs(dot_y - y - shift) < abs(shift)
                for dot_x, dot_y in dots
            )
            cost = abs(shift) + COVERED * (covered + 2 * nearer)
            candidates.append((cost, align, shift - high / 2, box))
        on_dot = (0, "right" if x > width / 2 else "left", -high / 2, (x, y, x, y))
        _, align, offset, box = min(candidates, default=on_dot)  # if there is no room anywhere
        taken.append(box)
        spots.append((align, offset))
    return spots


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _symlog(value: float) -> float:
    return math.copysign(math.log1p(abs(value) / LINEAR), value)


def _unsymlog(value: float) -> float:
    return math.copysign(math.expm1(abs(value)) * LINEAR, value)
