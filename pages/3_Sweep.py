"""Sweep: one knob at several values, one curve per variant."""

import streamlit as st

from view.shared import server, visitor
from view.shared.choices import choose_model, choose_text
from view.shared.page import errors_shown, show_error, start_page
from view.sweep.choose import choose_sweep
from view.sweep.run import show_current
from wlm.errors import SettingError
from wlm.measuring.comparison import DEFAULT_TARGET
from wlm.measuring.wording import counted


def main() -> None:
    start_page("Sweep")
    model, text = choose_model(), choose_text()
    st.title("When is int8 worth it?")
    st.markdown(
        "The speed-up of int8 depends on how you use the model. A sweep compares the variants at "
        "several values of one setting, such as the batch size."
    )
    spec = None
    try:
        spec = choose_sweep(model, text)
    except SettingError as error:
        show_error(str(error))
    start = st.button("Start", type="primary", icon=":material/play_arrow:", disabled=spec is None)
    if spec is not None:
        st.caption(
            f":material/timer: {counted(len(spec.values), 'point')}, at most about "
            f"{spec.most_seconds:,.0f} s in total. A point ends early if all speed-ups are "
            f"known to within {DEFAULT_TARGET:.0%}."
        )
        if start:
            st.query_params["sweep"] = server.job_queue().submit_sweep(spec, visitor.name())
    show_current(spec)


with errors_shown():
    main()
