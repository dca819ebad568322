"""All variants at a glance: those just measured among those that were recorded."""

import streamlit as st

from view.compare.field_chart import field_chart
from wlm.measuring.tradeoff import front, places
from wlm.runs.recordings import recordings

FEWEST = 3  # of two the other charts say all


def show_field(result: dict, *, recorded: bool) -> None:
    """Show where the variants of a comparison's JSON, recorded or not, and of all recorded ones
    stand between bytes and loss."""
    others = [run.result for run in recordings().values()]
    found = places([(result, recorded), *((each, True) for each in others)])
    if len(found) < FEWEST:
        return
    names = [each.label for each in front(found)]
    st.subheader("The whole field at a glance", anchor="field")
    st.markdown(
        "Lower is better, further left is smaller, a larger dot is faster. "
        + (
            f"No other beats **{'**, **'.join(names)}** in both loss and size: the grey line is "
            "that front."
        )
    )
    st.vega_lite_chart(field_chart(found), key="chart-field")
    machines = {each["machine"]["cpu"] for each in others}
    if any(each.recorded for each in found):
        st.caption(
            f"Pale: measured before, on {', '.join(sorted(machines))}, same weights and text. "
            "Bars: 95% intervals of the loss difference; where they overlap, the front is not sure."
        )
