"""A running comparison as a race: one lane per variant."""

import altair as alt
import streamlit as st

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    TWO_LINES,
    Spec,
    axis_within,
    color_by_label,
    draw_chart,
    specification,
)
from wlm.measuring.race import lanes
from wlm.runs.recordings import recording
from wlm.runs.run import Run


def show_race(run: Run) -> None:
    """Show the progress of a running comparison's variants, and their progress in the recorded
    run."""
    earlier = recording(run.spec["model"], tuple(run.spec["variants"]))
    found = lanes(run.result, earlier.result if earlier else None)
    draw_chart(race(found, run.done), "chart-race")
    if any(lane["earlier"] for lane in found):
        st.caption("Grey: the recorded run, at the same time of the race.")


@built_once
def race(found: list[dict], done: float) -> Spec:
    """Return the lanes of a race, one per variant with its place in the text, all by one clock. A
    gray mark shows its place in an earlier race. `done` is the share of the race that is over."""
    ahead = max(max(lane["words"], lane["earlier"] or 0.0) for lane in found)
    end = ahead / max(done, 0.05)
    rows = [
        {**lane, "text": f"{lane['pace']:,.0f} words/s", "start": 0, "end": end} for lane in found
    ]
    labels = [lane["label"] for lane in found]
    x = alt.X(
        "words:Q",
        title="words read",
        scale=alt.Scale(domain=[0, 1.25 * end], nice=False),
        axis=axis_within(0, end, whole=True, format=",d"),
    )
    axis = alt.Axis(labelExpr=TWO_LINES, labelLimit=220, ticks=False, domain=False)
    base = alt.Chart({"values": rows}).encode(
        y=alt.Y("label:N", sort=labels, title=None, axis=axis)
    )
    color = color_by_label(labels)
    chart = alt.layer(
        base.mark_rule(color=GREY, strokeWidth=2, opacity=0.5).encode(
            x=alt.X("start:Q"), x2=alt.X2("end:Q")
        ),
        base.mark_bar(size=14, cornerRadiusEnd=7).encode(
            x=x,
            color=color,
            tooltip=[alt.Tooltip("label:N"), alt.Tooltip("words:Q", format=",.0f")],
        ),
        base.transform_filter("isValid(datum.earlier)")
        .mark_tick(color=GREY, thickness=4, size=34)
        .encode(x=alt.X("earlier:Q")),
        base.mark_point(filled=True, size=420, opacity=1).encode(x=x, color=color),
        base.mark_text(align="left", dx=8, dy=-22, fontSize=LABEL_SIZE, color=INK).encode(
            x=x, text=alt.Text("text:N")
        ),
    )
    told = ", ".join(f"{row['label']} {row['text']}" for row in rows)
    about = f"How far each variant has read: {told}."
    return specification(chart, 70 * len(found) + 70, about)
