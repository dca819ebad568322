"""The chart of a round's votes."""

import altair as alt

from view.shared.built import built_once
from view.shared.charts import INK, VALUE_SIZE, Spec, color_by_label, specification
from wlm.audience.room import SIDES
from wlm.audience.votes import Votes
from wlm.quantization.variant import Variant

FP32, INT8 = Variant.parse("fp32").label, Variant.parse("int8").label
BAR = 80  # pixels


@built_once
def votes_chart(votes: Votes) -> Spec:
    """Return a bar a text, as long as its votes, in the colour of the model that wrote it."""
    writers = [INT8 if side == votes.quantized else FP32 for side in range(len(SIDES))]
    rows = [
        {
            "text": f"{SIDES[side]}: {'int8' if writer == INT8 else 'fp32'}",
            "label": writer,
            "votes": count,
            "shown": f"{count:,}",
        }
        for side, (writer, count) in enumerate(zip(writers, votes.counts, strict=True))
    ]
    highest = max(1, *votes.counts) * 1.15  # room for the number beside the bar
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y(
            "text:N", title=None, sort=None, axis=alt.Axis(labelFontSize=VALUE_SIZE, labelLimit=200)
        ),
        x=alt.X(
            "votes:Q",
            title="votes for “int8 wrote this”",
            scale=alt.Scale(domain=[0, highest]),
            axis=alt.Axis(tickMinStep=1),
        ),
    )
    bars = base.mark_bar().encode(color=color_by_label([FP32, INT8]))
    numbers = base.mark_text(
        align="left", dx=6, fontSize=VALUE_SIZE, fontWeight="bold", color=INK
    ).encode(text=alt.Text("shown:N"))
    return specification(alt.layer(bars, numbers), height={"step": BAR})
