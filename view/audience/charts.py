"""The charts of a room's votes."""

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    INK,
    VALUE_SIZE,
    Spec,
    axis_within,
    color_by_label,
    interval_ends,
    specification,
)
from wlm.audience.room import SIDES
from wlm.audience.votes import Votes, share_right
from wlm.measuring.wording import counted
from wlm.quantization.variant import Variant

FP32, INT8 = Variant.parse("fp32").label, Variant.parse("int8").label
VOTES_STEP, ROUNDS_STEP = 50, 68  # pixels per row
NAMES = alt.Axis(labelFontSize=VALUE_SIZE, labelLimit=200)


@built_once
def rounds_chart(rounds: list[Votes]) -> Spec:
    """Return a row for each round and one for all: the share of right votes with its 95% interval,
    next to the half that a coin gets."""
    shares = {f"round {i}": share_right([votes]) for i, votes in enumerate(rounds, 1)}
    shares["all rounds"] = share_right(rounds)
    rows = [
        {
            "round": name,
            "share": share.value,
            "low": share.low,
            "high": share.high,
            "shown": f"{share.value:.0%}",
        }
        for name, share in shares.items()
        if share
    ]
    share = alt.X(
        "share:Q",
        title="share of right votes (dashed: a coin)",
        scale=alt.Scale(domain=[0, 1]),
        axis=axis_within(0, 1, 5, format="%"),
    )
    base = alt.Chart({"values": rows}).encode(
        x=share, y=alt.Y("round:N", title=None, sort=None, axis=NAMES)
    )
    coin = alt.Chart({"values": [{"share": 0.5}]}).encode(x=share)
    shown = base.encode(text=alt.Text("shown:N"))
    chart = alt.layer(
        coin.mark_rule(strokeDash=[6, 4], strokeWidth=2, color=INK),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        *interval_ends(base),
        base.mark_point(filled=True, size=220).encode(
            tooltip=[alt.Tooltip("round:N"), alt.Tooltip("share:Q", format=".0%")]
        ),
        shown.mark_text(dy=-20, fontSize=VALUE_SIZE, fontWeight="bold", color=INK),
    )
    told = ", ".join(f"{row['round']} {row['shown']}" for row in rows)
    about = f"The share of right votes: {told}. A coin gets 50%."
    return specification(chart, {"step": ROUNDS_STEP}, about)


@built_once
def votes_chart(votes: Votes) -> Spec:
    """Return a bar per text, as long as its votes, in the color of the model that wrote it."""
    writers = [INT8 if side == votes.quantized else FP32 for side in range(len(SIDES))]
    rows = [
        {
            "text": f"{SIDES[side]}: {'int8' if writer == INT8 else 'fp32'}",
            "label": writer,
            "votes": count,
            "shown": counted(count, "vote"),
        }
        for side, (writer, count) in enumerate(zip(writers, votes.counts, strict=True))
    ]
    # Room for the number next to the longest bar.
    scale = alt.Scale(domain=[0, 1.25 * max(1, *votes.counts)], nice=False)
    base = alt.Chart({"values": rows}).encode(
        y=alt.Y("text:N", title=None, sort=None, axis=NAMES),
        x=alt.X("votes:Q", scale=scale, axis=None),
    )
    bars = base.mark_bar().encode(
        color=color_by_label([FP32, INT8]),
        tooltip=[alt.Tooltip("text:N"), alt.Tooltip("votes:Q", format=",")],
    )
    numbers = base.mark_text(
        align="left", dx=6, fontSize=VALUE_SIZE, fontWeight="bold", color=INK
    ).encode(text=alt.Text("shown:N"))
    told = ", ".join(f"{row['text']} {row['shown']}" for row in rows)
    about = f"Votes for “int8 wrote this text”: {told}."
    return specification(alt.layer(bars, numbers), {"step": VOTES_STEP}, about)
