"""The charts of fewer bits: the staircase, the weights on its steps, and the loss."""

import altair as alt

from view.shared.built import built_once
from view.shared.charts import GREY, INK, LABEL_SIZE, Spec, specification


@built_once
def staircase(bits: int, step: float) -> Spec:
    """Return what is stored of each weight as a staircase of 2^bits levels, and what would be
    stored without rounding as a grey line."""
    half = 2 ** (bits - 1)
    reach = (half - 0.5) * step
    edges = [-reach, *((level - 0.5) * step for level in range(1 - half, half)), reach]
    rows = [
        {"weight": edge, "stored": (max(-half, min(half - 1, i - half))) * step}
        for i, edge in enumerate(edges)
    ]
    scale = alt.Scale(domain=[-1.2 * reach, 1.2 * reach], nice=False)
    x = alt.X("weight:Q", title="weight", scale=scale, axis=alt.Axis(tickCount=5))
    y = alt.Y("stored:Q", title="stored", axis=alt.Axis(tickCount=5))
    straight = alt.Chart({"values": [{"weight": e, "stored": e} for e in (-reach, reach)]})
    chart = alt.layer(
        straight.mark_line(color=GREY, strokeDash=[6, 4]).encode(x=x, y=y),
        alt.Chart({"values": rows})
        .mark_line(interpolate="step-after", strokeWidth=3)
        .encode(x=x, y=y),
    )
    return specification(chart, height=260)


@built_once
def on_levels(counts: list[int]) -> Spec:
    """Return how many of a matrix's weights stand on each level, from the lowest."""
    half, total = len(counts) // 2, sum(counts)
    rows = [
        {"level": i - half - 0.42, "end": i - half + 0.42, "share": count / total}
        for i, count in enumerate(counts)
    ]
    chart = (
        alt.Chart({"values": rows})
        .mark_rect()
        .encode(
            x=alt.X(
                "level:Q",
                title="integer",
                scale=alt.Scale(domain=[-half - 0.6, half - 0.4], nice=False),
                axis=alt.Axis(tickMinStep=1, tickCount=6, format="d"),
            ),
            x2=alt.X2("end:Q"),
            y=alt.Y(
                "share:Q",
                title="share of the weights (root)",
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(format="~%", tickCount=4),
            ),
            y2=alt.Y2Datum(0),
            tooltip=[alt.Tooltip("share:Q", format=".2%")],
        )
    )
    return specification(alt.layer(chart), height=260)


@built_once
def losses(rows: list[dict], fp32: float, bits: int) -> Spec:
    """Return the loss at 8 to 2 bits as a line a way of scaling, fp32's as a grey line, and the
    chosen bits marked; rows have bits, scale, loss, low and high."""
    x = alt.X(
        "bits:O",
        title="bits of a weight",
        sort="descending",
        axis=alt.Axis(labelAngle=0, ticks=False),
        scale=alt.Scale(padding=0.4),
    )
    y = alt.Y(
        "loss:Q",
        title="loss (nats per token)",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=5),
    )
    color = alt.Color("scale:N", sort=None, legend=alt.Legend(title=None, orient="top"))
    base = alt.Chart({"values": rows}).encode(x=x, y=y, color=color)
    whole = alt.Chart({"values": [{"loss": fp32, "text": f"fp32: {fp32:.2f}"}]}).encode(y=y)
    chosen = base.transform_filter(alt.datum.bits == bits)
    tooltip = [
        alt.Tooltip("bits:O"),
        alt.Tooltip("scale:N"),
        alt.Tooltip("loss:Q", format=".4f"),
        alt.Tooltip("delta:N", title="against fp32 (95%)"),
    ]
    chart = alt.layer(
        whole.mark_rule(color=GREY, strokeDash=[6, 4], strokeWidth=2),
        whole.mark_text(color=INK, x=4, align="left", dy=12).encode(text=alt.Text("text:N")),
        base.mark_line(strokeWidth=3, point={"filled": True, "size": 70}).encode(tooltip=tooltip),
        chosen.mark_point(filled=True, size=260, opacity=1),
        chosen.mark_text(dy=-18, fontSize=LABEL_SIZE).encode(text=alt.Text("loss:Q", format=".2f")),
    )
    return specification(chart, height=300)
