"""The tab Time of Inspect: the inspection that the URL names, or what to expect of the first."""

import streamlit as st

from view.inspect.times import show_times
from view.shared import server, visitor
from view.shared.runs import run_in_url, show_run, shown_before
from view.shared.subject import show_subject, show_subject_before
from wlm.inspecting.times import InspectSpec
from wlm.runs.run import Run


def show_current(spec: InspectSpec) -> None:
    """Draw the button that measures, and show the inspection that the URL names, if any."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/timer:"):
            st.query_params["inspection"] = server.job_queue().submit(spec, visitor.name())
    run = run_in_url("inspection", spec.kind)
    before = shown_before(run, spec.kind)
    if run is None or run.state.final:
        server.job_queue().prefetch(spec)
    if run is None:
        st.info(
            "Press **Measure** to time each module of these variants in turn on this machine, for "
            "a chunk of 25 words and for one word, and to measure what the machine can do at "
            f"best: about {spec.seconds + 5:.0f} seconds.",
            icon=":material/timer:",
        )
        return
    show_subject(run.spec, spec.to_json(), "Measure")
    show_run(run, show_times, lambda: show_before(before))


def show_before(before: Run | None) -> None:
    """Show what was there before an inspection's first numbers, dim."""
    if before is not None:
        show_subject_before(before.spec)
        show_times(before.result, dim=True)
