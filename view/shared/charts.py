"""What the pages' charts have in common: type, colours, and the theme's ink."""

import altair as alt
import streamlit as st

LABEL_SIZE = 16
VALUE_SIZE = 20
GREY = "#8c98a4"  # for reference marks: visible on light and on dark


def ink() -> str:
    """Return the theme's text colour, for charts: theirs is too faint for a lecture hall."""
    return "#e8eef4" if st.context.theme.type == "dark" else "#17202a"


def readable(chart: alt.LayerChart, ink: str) -> alt.LayerChart:
    """Give a chart type that reads from the last row of a lecture hall, in the theme's ink."""
    return chart.configure_axis(
        labelFontSize=LABEL_SIZE,
        titleFontSize=LABEL_SIZE,
        labelColor=ink,
        titleColor=ink,
        grid=False,
    ).configure_legend(labelFontSize=14, labelColor=ink)
