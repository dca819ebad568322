"""All variants at a glance: the variants just measured among the recorded ones."""

from collections.abc import Sequence

import altair as alt
import streamlit as st

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    GROUND,
    HALO,
    INK,
    Spec,
    axis_within,
    color_by_label,
    specification,
)
from wlm.measuring.tradeoff import Place, front, places
from wlm.runs.recordings import recordings

HEIGHT = 420
FEWEST = 3  # for two, the other charts show everything
LINE = 19  # the height of a name in pixels


def show_tradeoff(result: dict, *, recorded: bool) -> None:
    """Show the bytes and loss of the variants of a comparison's JSON, recorded or not, among all
    recorded variants."""
    others = [run.result for run in recordings().values()]
    found = places([(result, recorded), *((each, True) for each in others)])
    if len(found) < FEWEST:
        return
    names = [each.label for each in front(found)]
    st.header("The whole field at a glance", anchor="field")
    st.markdown(
        "Lower is better, further left is smaller, a larger dot is faster. "
        + (
            f"No other beats **{'**, **'.join(names)}** in both loss and size: the grey line is "
            "that front."
        )
    )
    st.vega_lite_chart(tradeoff_chart(found), key="chart-field")
    machines = {each["machine"]["cpu"] for each in others}
    if any(each.recorded for each in found):
        st.caption(
            f"Pale: measured before, on {', '.join(sorted(machines))}, same weights and text. "
            "Bars: 95% intervals of the loss difference; where they overlap, the front is not sure."
        )


@built_once
def tradeoff_chart(points: Sequence[Place]) -> Spec:
    """Return one dot per variant at its file's megabytes and its loss difference from the baseline.
    The dot's bar is the interval, its area the speed-up; a hollow dot was recorded. A line runs
    along the front."""
    best, most = front(points), max(each.size_bytes for each in points) / 1e6
    ends = [end for each in points for end in each.ends or (each.loss_delta,)]
    lowest, highest = min(0.0, *ends), max(0.001, *ends)
    room = 0.12 * (highest - lowest)
    named = _named(points, LINE * (highest - lowest + 2 * room) / (HEIGHT - 70), most)
    rows = [
        {
            "label": each.label,
            "size": each.size_bytes / 1e6,
            "delta": each.loss_delta,
            "low": each.ends[0] if each.ends else each.loss_delta,
            "high": each.ends[1] if each.ends else each.loss_delta,
            "speedup": each.speedup,
            "from": "recorded" if each.recorded else "measured here",
            "filled": 0.2 if each.recorded else 0.9,
        }
        for each in points
    ]
    x = alt.X(
        "size:Q",
        title="size (MB)",
        scale=alt.Scale(domain=[0, 1.12 * most], nice=False),
        axis=axis_within(0, most, 5),
    )
    y = alt.Y(
        "delta:Q",
        title="loss, difference to fp32 (nats per token)",
        scale=alt.Scale(domain=[lowest - room, highest + room], nice=False),
        axis=axis_within(lowest, highest, 5, format="+.3~f"),
    )
    base = alt.Chart({"values": rows}).encode(x=x)
    steps = [{"size": each.size_bytes / 1e6, "delta": each.loss_delta} for each in best]
    along = {"values": steps}
    color = color_by_label([each.label for each in points])
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
            alt.Tooltip("speedup:Q", title="times as fast", format=".2f"),
            alt.Tooltip("from:N"),
        ],
    )
    texts = [
        alt.Chart({"values": [each for each in named if each["left"] == left]})
        .mark_text(baseline="middle", dy=-15, **side, **ground)
        .encode(x=x, y=alt.Y("place:Q"), text=alt.Text("text:N"), color=alt.ColorValue(ink))
        for ground, ink in ((HALO, GROUND), ({}, INK))
        for left, side in (
            (True, {"align": "right", "dx": -10}),
            (False, {"align": "left", "dx": 10}),
        )
    ]
    chart = alt.layer(
        alt.Chart({"values": [{"delta": 0.0}]})
        .mark_rule(color=GREY, strokeDash=[6, 4], strokeWidth=1.5)
        .encode(y=y),
        alt.Chart(along)
        .mark_line(interpolate="step-after", color=GREY, strokeWidth=3)
        .encode(x=x, y=y),
        base.mark_rule(strokeWidth=3, color=GREY, opacity=0.55).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        dots,
        *texts,
    )
    names = ", ".join(each.label for each in points)
    about = f"Size and loss difference of {len(points)} variants: {names}."
    return specification(chart, HEIGHT, about)


def _named(points: Sequence[Place], gap: float, most: float) -> list[dict]:
    """Return names with speed-ups next to the dots, moved apart if dots of similar size are
    close."""
    rows: list[dict] = []
    for each in sorted(points, key=lambda each: each.loss_delta):
        size = each.size_bytes / 1e6
        beside = [row["place"] for row in rows if abs(row["size"] - size) < 0.25 * most]
        place = max([each.loss_delta, *(other + gap for other in beside)])
        speed = f", {each.speedup:.1f}×" if each.speedup != 1.0 else ""
        text = each.label + speed
        # Left of the dot if no other dot is near: otherwise the name would cover that dot.
        near = any(0.0 < size - other.size_bytes / 1e6 < 0.2 * most for other in points)
        left = size > 0.5 * most and not (near and size < 0.85 * most)
        rows.append({"size": size, "place": place, "text": text, "left": left})
    return rows
