"""Step 5 of How: fewer bits. A staircase, the weights on its steps, the next words, the loss."""

import math

import altair as alt
import streamlit as st

from view.how.choose import PER_ROW, PER_TENSOR
from view.how.selection import FP32, Selection, fewer_bits
from view.how.steps import show_lines
from view.shared import server
from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    Spec,
    axis_within,
    color_by_label,
    specification,
)
from view.shared.choices import in_url
from view.shared.next_words import chart_of_candidates, likeliest, shown_word
from view.shared.page import errors_shown, minus, plain
from wlm.explaining.bits import FEWEST_BITS, MOST_BITS
from wlm.explaining.curve import LossCurve, curve_of

DEFAULT_BITS = 4


@st.fragment
def show_bits(chosen: Selection) -> None:
    """Show the effect of fewer bits on weights, next words, a sentence and the loss."""
    st.header("5. Fewer bits", anchor="bits")
    with errors_shown():
        bits = st.slider(
            "Bits per weight", FEWEST_BITS, MOST_BITS, DEFAULT_BITS, width=340, **in_url("bits")
        )
        show_fewer(chosen, bits)
        show_lines(chosen, 5, bits)


def show_fewer(chosen: Selection, bits: int) -> None:
    """Show the model at a number of bits."""
    read = chosen.words[: chosen.at + 1]
    found = fewer_bits(chosen.model, read, chosen.matrix, chosen.by_row, bits)
    curve = curve_of(server.load_model(chosen.model).sha256)
    labels = [FP32.label, f"{bits} bits"]
    before, after = (f"**{plain(shown_word(word))}**" for word in likeliest(found.words))
    change = f"stays {after}" if before == after else f"changes from {before} to {after}"
    st.markdown(
        f"With {bits} bits, a weight is one of {2**bits} numbers. The likeliest next word {change}."
        + (f" {about_loss(curve, bits, chosen.by_row)}" if curve else "")
    )
    stairs, levels = st.columns(2)
    with stairs:
        st.markdown(f"**The stored value** of a weight of {chosen.name}")
        st.vega_lite_chart(staircase(bits, found.step), key="how-stairs")
    with levels:
        zeros = found.counts[2 ** (bits - 1)] / sum(found.counts)
        st.markdown(f"**The weights on {2**bits} levels**: {zeros:.0%} become 0")
        st.vega_lite_chart(on_levels(found.counts), key="how-levels")
    words, loss = st.columns(2)
    with words:
        st.markdown("**The next word**")
        st.vega_lite_chart(chart_of_candidates(found.words, labels), key="how-fewer")
    with loss:
        if curve:
            st.markdown(f"**The loss** on {curve.tokens:,} tokens of {curve.text}")
            st.vega_lite_chart(losses(curve, bits), key="how-loss")
        for label, text in zip(labels, found.sentences, strict=True):
            with st.container(border=True):
                st.markdown(f"**{label}** · {plain(text)}")
    st.caption(
        "Simulated: the weights of LSTM and Linear are rounded; everything is computed in 32-bit "
        "floats." + (f" The losses were recorded on {curve.cpu}." if curve else "")
    )


def about_loss(curve: LossCurve, bits: int, by_row: bool) -> str:
    """Return sentences on how far the loss is from fp32's, and why it may fall with fewer bits."""
    found = curve.at(bits, by_row)
    words = f"The loss is {found.loss:.3f} nats per token"
    if found.low <= 0.0 <= found.high:
        words += f"; its difference from fp32's {curve.fp32:.3f} is within the 95% interval."
    else:
        difference = minus(f"{found.loss - curve.fp32:+.3f}")
        words += f", {difference} from fp32's {curve.fp32:.3f}."
    losses = {bits: curve.at(bits, by_row).loss for bits in range(FEWEST_BITS, MOST_BITS + 1)}
    best = min((fewer for fewer in losses if fewer < bits), key=losses.get, default=bits)
    if losses[best] < found.loss:
        words += (
            f" **Why can {best} bits have a lower loss than {bits}?** Both models are broken. With "
            "fewer bits more weights become 0, and all words get nearly the same probability; with "
            "more bits the model still makes confident predictions, and they are wrong."
        )
    return words


@built_once
def staircase(bits: int, step: float) -> Spec:
    """Return the stored value of each weight as a staircase of 2^bits levels, and the weight itself
    as a grey line."""
    half = 2 ** (bits - 1)
    reach = (half - 0.5) * step
    edges = [-reach, *((level - 0.5) * step for level in range(1 - half, half)), reach]
    rows = [
        {
            "weight": edge,
            "stored": (max(-half, min(half - 1, i - half))) * step,
            "label": f"{bits} bits",
        }
        for i, edge in enumerate(edges)
    ]
    scale = alt.Scale(domain=[-1.05 * reach, 1.05 * reach], nice=False)
    x = alt.X("weight:Q", title="weight", scale=scale, axis=axis_within(-reach, reach))
    stored = -half * step, (half - 1) * step
    y = alt.Y("stored:Q", title="stored", scale=scale, axis=axis_within(*stored))
    straight = alt.Chart({"values": [{"weight": end, "stored": end} for end in (-reach, reach)]})
    chart = alt.layer(
        straight.mark_line(color=GREY, strokeDash=[6, 4]).encode(x=x, y=y),
        alt.Chart({"values": rows})
        .mark_line(interpolate="step-after", strokeWidth=3)
        .encode(x=x, y=y, color=color_by_label([f"{bits} bits"])),
    )
    about = f"The stored value of each weight: a staircase of {2**bits} levels."
    return specification(chart, 260, about)


@built_once
def on_levels(counts: list[int]) -> Spec:
    """Return the share of a matrix's weights on each level, from the lowest, on a square-root
    scale."""
    half, total, label = len(counts) // 2, sum(counts), f"{int(math.log2(len(counts)))} bits"
    rows = [
        {
            "level": i - half - 0.42,
            "end": i - half + 0.42,
            "integer": i - half,
            "share": count / total,
            "label": label,
        }
        for i, count in enumerate(counts)
    ]
    most = max(counts) / total
    chart = (
        alt.Chart({"values": rows})
        .mark_rect()
        .encode(
            x=alt.X(
                "level:Q",
                title="integer",
                scale=alt.Scale(domain=[-half - 0.6, half - 0.4], nice=False),
                axis=axis_within(-half, half - 1, whole=True, format="d"),
            ),
            x2=alt.X2("end:Q"),
            y=alt.Y(
                "share:Q",
                title="share (square-root scale)",
                scale=alt.Scale(type="sqrt", domain=[0, most], nice=False),
                axis=axis_within(0, most, format="~%"),
            ),
            y2=alt.Y2Datum(0),
            color=color_by_label([label]),
            tooltip=[alt.Tooltip("integer:Q"), alt.Tooltip("share:Q", format=".2%")],
        )
    )
    about = f"The share of the weights on each of {len(counts)} levels."
    return specification(alt.layer(chart), 260, about)


@built_once
def losses(curve: LossCurve, bits: int) -> Spec:
    """Return the recorded loss at 8 to 2 bits as one line per kind of scale, fp32's loss as a
    dashed line, and the chosen bits marked."""
    rows = [
        {
            "bits": point.bits,
            "scale": PER_ROW if point.by_row else PER_TENSOR,
            "loss": point.loss,
            "delta": minus(
                f"{point.loss - curve.fp32:+.3f} ({point.low:+.3f} to {point.high:+.3f})"
            ),
        }
        for point in curve.points
    ]
    x = alt.X(
        "bits:O",
        title="bits per weight",
        sort="descending",
        axis=alt.Axis(labelAngle=0, ticks=False),
        scale=alt.Scale(padding=0.4),
    )
    every = [curve.fp32, *(row["loss"] for row in rows)]
    ends = [min(every), max(every)]
    y = alt.Y(
        "loss:Q",
        title="loss (nats per token)",
        scale=alt.Scale(domain=ends, nice=False, padding=30),
        axis=axis_within(*ends),
    )
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeColor=INK)
    scales = alt.Scale(domain=[PER_TENSOR, PER_ROW], range=[[1, 0], [3, 4]])
    dashes = alt.StrokeDash("scale:N", sort=None, scale=scales, legend=legend)
    base = alt.Chart({"values": rows}).encode(x=x, y=y)
    line = {"loss": curve.fp32, "text": f"fp32: {curve.fp32:.2f}", "label": FP32.label}
    whole = alt.Chart({"values": [line]}).encode(y=y, color=color_by_label([FP32.label]))
    chosen = base.transform_filter(alt.datum.bits == bits)
    tooltip = [
        alt.Tooltip("bits:O"),
        alt.Tooltip("scale:N"),
        alt.Tooltip("loss:Q", format=".4f"),
        alt.Tooltip("delta:N", title="difference from fp32 (95% interval)"),
    ]
    chart = alt.layer(
        whole.mark_rule(strokeDash=[6, 4], strokeWidth=2),
        whole.mark_text(x=4, align="left", dy=12).encode(text=alt.Text("text:N")),
        base.mark_line(color=INK, strokeWidth=3).encode(strokeDash=dashes),
        base.mark_point(color=INK, filled=True, size=70, opacity=1).encode(tooltip=tooltip),
        chosen.mark_point(color=INK, filled=True, size=260, opacity=1),
        chosen.mark_text(dy=-18, fontSize=LABEL_SIZE, color=INK).encode(
            text=alt.Text("loss:Q", format=".2f")
        ),
    )
    about = f"The loss at 8 to 2 bits per weight, and fp32's loss, {curve.fp32:.2f}."
    return specification(chart, 300, about)
