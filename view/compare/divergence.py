"""The chart of how far variants' predictions are from the baseline's."""

import math

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import Spec, axis_within, color_by_label, specification
from wlm.measuring.agreement import HISTOGRAM

HEIGHT, LEGEND_ROW = 260, 24  # in pixels
ROUNDING = 1e-7  # nats: below, two models differ by the rounding of 32-bit sums alone


@built_once
def divergence_chart(results: list[dict]) -> Spec | None:
    """Return one outline per row of results that differs from the baseline: the share of tokens by
    their KL divergence, on a log scale. Return None if no row differs."""
    histograms = {
        row["label"]: counts
        for row in results
        if row["agreement"]["kl_mean"] > ROUNDING
        and any(counts := row["agreement"].get("kl_histogram", ()))  # an imported run may lack it
    }
    if not histograms:
        return None
    labels, edges = list(histograms), HISTOGRAM.tolist()
    used = [i for i, counts in enumerate(zip(*histograms.values(), strict=True)) if any(counts)]
    first, last = used[0], used[-1] + 1
    rows = [
        {"label": label, "kl": edges[i], "share": share}
        for label, counts in histograms.items()
        for i, share in enumerate([*(count / sum(counts) for count in counts), 0.0])
        if first <= i <= last
    ]
    powers = [10.0**power for power in range(-8, 3)]
    x = alt.X(
        "kl:Q",
        title="KL divergence (nats, log scale)",
        scale=alt.Scale(type="log", domain=[edges[first], edges[last]], nice=False),
        axis=alt.Axis(
            values=[power for power in powers if edges[first] <= power <= edges[last]],
            labelExpr="format(datum.value, datum.value < 0.001 ? '~e' : '~g')",
        ),
    )
    most = max(row["share"] for row in rows)
    y = alt.Y(
        "share:Q",
        title="share of tokens",
        scale=alt.Scale(domain=[0, most], nice=False),
        axis=axis_within(0, most, format="~%"),
    )
    legend, height = None, HEIGHT
    if len(labels) > 1:
        legend = alt.Legend(title=None, orient="top", columns=2, symbolOpacity=1)
        height += LEGEND_ROW * math.ceil(len(labels) / 2)
    base = alt.Chart({"values": rows}).encode(x=x, y=y, color=color_by_label(labels, legend))
    chart = alt.layer(
        base.mark_area(interpolate="step-after", opacity=0.25).encode(
            y=alt.Y("share:Q", stack=None)
        ),
        base.mark_line(interpolate="step-after", strokeWidth=2.5),
    )
    about = f"The share of tokens by KL divergence from the baseline: {', '.join(labels)}."
    return specification(chart, height, about)
