"""The charts of memory and agreement."""

import math

import altair as alt

from view.compare import charts
from view.shared.chart_cache import built_once
from view.shared.charts import Spec, axis_within, color_by_label, specification
from wlm.measuring.agreement import HISTOGRAM

HEIGHT, LEGEND_ROW = 260, 24  # in pixels
ROUNDING = 1e-7  # nats: below, two models differ by the rounding of 32-bit sums alone


def memory_bars(rows: list[dict]) -> Spec:
    """Return the memory of results' rows in bars, each with its peak."""
    return charts.bars_with_references(
        [row["label"] for row in rows],
        [row["memory"]["added_bytes"] / 1e6 for row in rows],
        [row["memory"]["peak_bytes"] / 1e6 for row in rows],
        title="memory (MB)",
        format=".0f",
        reference_name="peak",
    )


def divergence_chart(rows: list[dict]) -> Spec | None:
    """Return the chart of results' rows that differ from the baseline, or None if there are
    none. An imported run may lack the counts."""
    found = {
        row["label"]: counts
        for row in rows
        if row["agreement"]["kl_mean"] > ROUNDING
        and any(counts := row["agreement"].get("kl_histogram", ()))
    }
    return divergence_histogram(list(found), list(found.values())) if found else None


@built_once
def divergence_histogram(labels: list[str], counts: list[list[int]]) -> Spec:
    """Return one outline per label: the share of tokens by their KL divergence, on a log scale."""
    used = [i for i in range(len(counts[0])) if any(own[i] for own in counts)]
    first, last = used[0], used[-1] + 1
    rows = [
        {"label": label, "kl": float(HISTOGRAM[i]), "share": share}
        for label, own in zip(labels, counts, strict=True)
        for i, share in enumerate([*(count / sum(own) for count in own), 0.0])
        if first <= i <= last
    ]
    x = alt.X(
        "kl:Q",
        title="KL divergence (nats, log scale)",
        scale=alt.Scale(
            type="log", domain=[float(HISTOGRAM[first]), float(HISTOGRAM[last])], nice=False
        ),
        axis=alt.Axis(
            values=[
                10.0**power
                for power in range(-8, 3)
                if HISTOGRAM[first] <= 10.0**power <= HISTOGRAM[last]
            ],
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
