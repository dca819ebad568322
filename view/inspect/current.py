"""The tab Time of Inspect: the inspection that the URL names, or what to expect of the first."""

import streamlit as st

from view.inspect.times import show_times
from view.shared import server, visitor
from view.shared.runs import run_in_url, show_run
from wlm.inspecting.times import InspectSpec


def show_current(spec: InspectSpec) -> None:
    """Draw the button that measures, and show the inspection that the URL names, if any."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/timer:"):
            st.query_params["inspection"] = server.job_queue().submit(spec, visitor.name())
    if (run := run_in_url("inspection", spec.kind)) is None:
        st.info(
            "Press **Measure** to time each module of these variants in turn on this machine, for "
            "a chunk of 25 words and for one word, and to measure what the machine can do at "
            f"best: about {spec.seconds + 5:.0f} seconds.",
            icon=":material/timer:",
        )
        return
    if run.state.final and run.spec != spec.to_json():
        st.caption(":material/info: The settings have changed since this run: press Measure again.")
    show_run(run, show_times)
