"""The bars of a comparison: a variant's name above, its number next to the bar."""

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    INK,
    LABEL_SIZE,
    VALUE_SIZE,
    Spec,
    axis_within,
    color_by_label,
    specification,
)
from wlm.measuring.wording import size_unit
from wlm.tutorial import TOKENS, Published

THICKNESS = 28  # of bars, in pixels
AXIS = 76  # the height of a horizontal axis with its title
MARGIN = 0.36  # for a number behind the longest bar, as a share of it


def bars_of(
    result: dict, figures: list[Published | None] | None = None, large: bool = False
) -> dict[str, Spec]:
    """Return the bars of a comparison's JSON by measure: `loss`, `size_bytes`, `elapsed_s`. A row
    without a loss or a time has no bar yet.

    `figures` are the tutorial's for each row, to draw as lines; their elapsed time is scaled to as
    many tokens as were read. `large` bars are for a lecture hall and have no lines.
    """
    rows = result["results"]
    figures = figures or [None] * len(rows)
    labels = [row["label"] for row in rows]
    share = result["protocol"]["tokens"] / TOKENS
    unit, scale = size_unit(row["size_bytes"] for row in rows)
    found = {}
    for measure, title, divisor, factor, format in (
        ("loss", "loss (nats per token)", 1, 1, ".3f"),
        ("size_bytes", f"size ({unit})", scale, 1, ".1f"),
        ("elapsed_s", "elapsed (s)", 1, share, ".2f" if share < 0.5 else ".1f"),
    ):
        values = [row[measure] / divisor if measure in row else None for row in rows]
        if large:
            found[measure] = large_bars(labels, values, format)
            continue
        references = [figure and getattr(figure, measure) / divisor * factor for figure in figures]
        found[measure] = bars_with_references(
            labels, values, references, title=title, format=format, reference_name="tutorial"
        )
    return found


@built_once
def bars_with_references(
    labels: list[str],
    values: list[float | None],
    references: list[float | None],
    *,
    title: str,
    format: str,
    reference_name: str,
) -> Spec:
    """Return one horizontal bar per label, with a line across it at each reference value.

    The label is above the bar and the value next to it; the reference's name and value are below.
    `title` is the axis title with its unit; `format` is a d3 number format.
    """
    known = [value for value in [*values, *references] if value is not None]
    top = max(known, default=1.0)
    rows = [
        {"label": label, "value": value, "reference": reference, "end": value}
        for label, value, reference in zip(labels, values, references, strict=True)
    ]
    for row in rows:
        # A line just beyond the bar would cross the number, so the number moves behind the line.
        value, reference = row["value"], row["reference"]
        if None not in (value, reference) and value <= reference <= value + MARGIN * top:
            row["end"] = reference
    base = alt.Chart({"values": rows}).encode(
        alt.X(
            "value:Q",
            title=title,
            scale=alt.Scale(domain=[0, (1 + MARGIN) * top], nice=False),
            axis=axis_within(0, top),
        ),
        alt.Y("label:N", sort=labels, axis=None),
    )
    color = color_by_label(labels)
    bars = base.mark_bar(cornerRadiusEnd=4, size=THICKNESS).encode(
        color=color,
        tooltip=[alt.Tooltip("label:N", title="variant"), alt.Tooltip("value:Q", title=title)],
    )
    beside = {"align": "left", "fontSize": VALUE_SIZE, "dx": 8}
    numbers = base.mark_text(**beside).encode(
        x=alt.X("end:Q"), text=alt.Text("value:Q", format=format), color=color
    )
    names = base.mark_text(fontSize=LABEL_SIZE, align="left", dy=-THICKNESS / 2 - 13, color=INK)
    known = base.transform_filter("isValid(datum.reference)").transform_calculate(
        words=f"'{reference_name} ' + format(datum.reference, '{format}')"
    )
    lines = known.mark_tick(thickness=3, height=THICKNESS + 6, color=INK).encode(
        x=alt.X("reference:Q")
    )
    # The name points toward the middle, so that it is never cut off.
    side = alt.ExprRef(f"datum.reference > {0.5 * top} ? 'right' : 'left'")
    below = {"dy": THICKNESS / 2 + 13, "fontWeight": "normal", "color": INK}
    said = known.mark_text(align=side, **below).encode(
        x=alt.X("reference:Q"), text=alt.Text("words:N")
    )
    chart = alt.layer(
        bars, numbers, names.encode(x=alt.XValue(0), text=alt.Text("label:N")), lines, said
    )
    step = 86 if any(reference is not None for reference in references) else 64
    about = f"Bars of {title} by variant: {_listed(labels, values)}."
    return specification(chart, AXIS + step * len(labels), about)


@built_once
def large_bars(labels: list[str], values: list[float], format: str) -> Spec:
    """Return one thick bar per label, from 0, below its name and number in the type of a lecture
    hall. The chart needs no axis."""
    rows = [
        {"label": label, "value": value, "text": f"{label}: {value:{format}}"}
        for label, value in zip(labels, values, strict=True)
    ]
    base = alt.Chart({"values": rows}).encode(
        y=alt.Y("label:N", sort=labels, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    )
    bars = base.mark_bar(size=14, cornerRadiusEnd=3, yOffset=10).encode(
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, max(values)], nice=False)),
        color=color_by_label(labels),
        tooltip=[*map(alt.Tooltip, ("label:N", "value:Q"))],
    )
    names = base.mark_text(fontSize=LABEL_SIZE + 2, align="left", dy=-9, color=INK).encode(
        x=alt.XValue(0), text=alt.Text("text:N")
    )
    about = f"Bars by variant: {_listed(labels, values)}."
    return specification(alt.layer(bars, names), 112, about) | {"padding": {"bottom": 0}}


def _listed(labels: list[str], values: list[float | None]) -> str:
    """Return labels with their values, for a description."""
    known = zip(labels, values, strict=True)
    return ", ".join(
        f"{label} {'–' if value is None else f'{value:.4g}'}" for label, value in known
    )
