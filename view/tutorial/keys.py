"""The keys of the tour: those of a keyboard and of a clicker."""

from pathlib import Path

import streamlit as st

from view.tutorial.place import NUMBERS, Place, go

_listen = st.components.v2.component(
    "wlm.tour_keys", js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def hear_keys(place: Place) -> None:
    """Have keys walk through the steps, and Escape end presenting, or close the code before."""
    _listen(
        key="tour-keys",
        data={"step": place.step, "last": NUMBERS[-1], "presenting": place.presenting},
        width="content",
        on_step_change=_step,
        on_leave_change=_leave,
    )


def _step() -> None:
    # From the browser: anything may come.
    asked = st.session_state["tour-keys"].get("step")
    if type(asked) is int and asked in NUMBERS:
        go(step=asked)


def _leave() -> None:
    if st.session_state.get("tour-code"):
        st.session_state["tour-code"] = False
    else:
        go(presenting=False)
