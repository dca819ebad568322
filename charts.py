"""The charts, in Altair: large type, direct labels, colours from the theme."""

import altair as alt
import pandas as pd

LABEL_SIZE = 16
VALUE_SIZE = 20
GREY = "#8c98a4"  # for reference marks: visible on light and on dark


def bars_with_references(
    labels: list[str],
    values: list[float],
    references: list[float | None],
    *,
    title: str,
    format: str,
    reference_name: str,
    ink: str,
) -> alt.LayerChart:
    """Return one bar a label, its value above it, and a faint line at each reference value.

    `title` is the axis title with its unit; `format` is a d3 number format; `ink` the
    colour of words.
    """
    data = pd.DataFrame({"label": labels, "value": values, "reference": references})
    data["source"] = reference_name
    top = max(each for each in [*values, *references] if each is not None)
    # Two lines for "int8 LSTM + Linear": three charts share a screen's width.
    split = "indexof(datum.label, ' ')"
    two_lines = (
        f"{split} < 0 ? datum.label : "
        f"[slice(datum.label, 0, {split}), slice(datum.label, {split} + 1)]"
    )
    x = alt.X(
        "label:N",
        sort=labels,
        title=None,
        axis=alt.Axis(labelAngle=0, labelExpr=two_lines, labelLimit=220, ticks=False),
    )
    y = alt.Y(
        "value:Q",
        title=title,
        scale=alt.Scale(domain=[0, top * 1.15], nice=False),
        axis=alt.Axis(tickCount=4),
    )
    color = alt.Color("label:N", sort=labels, legend=None)
    base = alt.Chart(data)
    bars = base.mark_bar(cornerRadiusEnd=4, size=64).encode(
        x=x,
        y=y,
        color=color,
        tooltip=[alt.Tooltip("label:N", title="variant"), alt.Tooltip("value:Q", title=title)],
    )
    numbers = base.mark_text(dy=-14, fontSize=VALUE_SIZE, fontWeight=600).encode(
        x=x, y=y, text=alt.Text("value:Q", format=format), color=color
    )
    legend = alt.Legend(
        title=None,
        orient="bottom",
        labelLimit=300,
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeColor=GREY,
        symbolStrokeWidth=4,
    )
    # Beside its bar, so that it never crosses the number above the bar.
    marks = (
        base.transform_filter("isValid(datum.reference)")
        .mark_tick(thickness=4, width=22, xOffset=48)
        .encode(
            x=x,
            y="reference:Q",
            color=alt.Color(
                "source:N",
                scale=alt.Scale(domain=[reference_name], range=[GREY]),
                legend=legend,
            ),
            tooltip=[alt.Tooltip("source:N"), alt.Tooltip("reference:Q", title=title)],
        )
    )
    return (
        alt.layer(bars, numbers, marks)
        .resolve_scale(color="independent")
        .properties(height=340)
        .configure_axis(
            labelFontSize=LABEL_SIZE,
            titleFontSize=LABEL_SIZE,
            labelColor=ink,
            titleColor=ink,
            grid=False,
        )
        .configure_legend(labelFontSize=14, labelColor=ink)
    )
