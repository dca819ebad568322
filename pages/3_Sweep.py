"""Sweep: one knob at several values, one curve per variant."""

import streamlit as st

from view.shared import server, visitor
from view.shared.choices import choose_model, choose_text
from view.shared.page import errors_shown, show_error, start_page
from view.sweep.choose import choose_sweep
from view.sweep.run import show_current
from wlm.errors import SettingError
from wlm.measuring.comparison import DEFAULT_TARGET


def main() -> None:
    start_page("Sweep")
    model, text = choose_model(), choose_text()
    st.title("Turn one knob, watch the curves")
    st.markdown(
        "How much faster int8 is depends on how the model is used. Each point is a comparison of "
        "its own: all variants in turn on the same text, on this machine."
    )
    spec = None
    try:
        spec = choose_sweep(model, text)
    except SettingError as error:
        show_error(str(error))
    start = st.button("Start", type="primary", icon=":material/play_arrow:", disabled=spec is None)
    if spec is not None:
        st.caption(
            f":material/timer: {len(spec.values)} points, at most about "
            f"{spec.most_seconds:,.0f} s together; a point ends earlier once each speed-up is "
            f"known give or take {DEFAULT_TARGET:.0%}."
        )
        if start:
            st.query_params["sweep"] = server.job_queue().submit_sweep(spec, visitor.name())
    show_current(spec)


with errors_shown():
    main()
