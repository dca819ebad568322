"""A histogram of weights over the numbers that a quantized matrix can hold."""

import altair as alt
import streamlit as st

from view.shared import server
from view.shared.charts import INK, THOUSANDS, axis_within
from wlm.inspecting import weight_error
from wlm.inspecting.weight_error import Histogram
from wlm.quantization.variant import Variant

MOST_LINES = 64  # lines of a grid over the histogram; more are drawn as a rug below it


@st.cache_resource(show_spinner="Counting the weights …", max_entries=64)
def histogram_of(model: str, variant: Variant, matrix: str, *, fine: bool = False) -> Histogram:
    """Return the histogram of one of a named model's matrices over a variant's grid."""
    fp32, stored = server.load_variant(model, Variant()), server.load_variant(model, variant)
    return weight_error.histogram(fp32.matrices()[matrix], stored.matrices()[matrix], fine=fine)


def histogram_layers(histogram: Histogram, title: str) -> tuple[alt.X, list[alt.Chart]]:
    """Return the layers of a histogram, and its horizontal channel for further layers. Counts are
    on a square-root scale, which makes rare weights visible."""
    counts = [*histogram.counts, histogram.counts[-1]]  # the last count closes the outline
    rows = [
        {"start": histogram.start + i * histogram.width, "count": count}
        for i, count in enumerate(counts)
    ]
    x = alt.X(
        "start:Q",
        title=title,
        scale=alt.Scale(domain=[rows[0]["start"], rows[-1]["start"]], nice=False),
        axis=axis_within(rows[0]["start"], rows[-1]["start"]),
    )
    y = alt.Y(
        "count:Q",
        title="weights (square-root scale)",
        scale=alt.Scale(type="sqrt", domain=[0, max(counts)], nice=False),
        axis=axis_within(0, max(counts), whole=True, **THOUSANDS),
    )
    layers = [alt.Chart({"values": rows}).mark_area(interpolate="step-after").encode(x=x, y=y)]
    grid = alt.Chart({"values": [{"start": level} for level in histogram.grid]}).encode(x=x)
    if 0 < len(histogram.grid) < MOST_LINES:
        layers.append(grid.mark_rule(color=INK, strokeWidth=1, strokeDash=[3, 3], opacity=0.8))
    elif histogram.grid:
        rug = grid.mark_tick(color=INK, thickness=1, height=14, yOffset=-7, opacity=0.7)
        layers.append(rug.encode(y=alt.YDatum(0)))
    return x, layers
