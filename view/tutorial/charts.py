"""The charts that are the tour's own."""

import altair as alt

from view.shared.built import built_once
from view.shared.charts import INK, LABEL_SIZE, Spec, color_by_label, specification


@built_once
def large_bars(labels: list[str], values: list[float], format: str) -> Spec:
    """Return a thick bar a label from 0, under its name and number in the type of a lecture hall:
    it needs no axis."""
    rows = [
        {"label": label, "value": value, "text": f"{label}: {value:{format}}"}
        for label, value in zip(labels, values, strict=True)
    ]
    base = alt.Chart({"values": rows}).encode(
        y=alt.Y("label:N", sort=labels, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    )
    bars = base.mark_bar(size=16, cornerRadiusEnd=3, yOffset=11).encode(
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, max(values)], nice=False)),
        color=color_by_label(labels),
    )
    names = base.mark_text(fontSize=LABEL_SIZE + 2, align="left", dy=-10, color=INK).encode(
        x=alt.XValue(0), text=alt.Text("text:N")
    )
    return specification(alt.layer(bars, names), height=150)
