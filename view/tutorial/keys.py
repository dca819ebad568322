"""The keys of the tour, on a keyboard or a clicker."""

from pathlib import Path

import streamlit as st

from view.tutorial.place import NUMBERS, Place, go

_listen = st.components.v2.component(
    "wlm.tour_keys", js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def hear_keys(place: Place) -> None:
    """Listen for the keys that walk through the steps. Escape ends presenting, or first closes the
    code if it is open."""
    _listen(
        key="tour-keys",
        data={"step": place.step, "last": NUMBERS[-1], "presenting": place.presenting},
        width="content",
        on_step_change=_step,
        on_leave_change=_leave,
    )


def _step() -> None:
    # The value is from the browser, so it may be anything.
    asked = st.session_state["tour-keys"].get("step")
    if type(asked) is int and asked in NUMBERS:
        go(step=asked)


def _leave() -> None:
    if st.session_state.get("tour-code"):
        st.session_state["tour-code"] = False
    else:
        go(presenting=False)
