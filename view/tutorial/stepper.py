"""The navigation of the guided tour: back, next, any step, and the presenter's mode."""

import streamlit as st

from view.shared.keys import ARROWS, CLICKER, hear_keys
from view.shared.screen import fill_screen
from view.tutorial.place import NUMBERS, Place, go

LAST = NUMBERS[-1]
ALL_KEYS = {**CLICKER, "Home": -LAST, "End": LAST}


def show_stepper(place: Place, title: str) -> None:
    """Draw Back, Next, the steps, and the presenter's buttons, after a slide's title. Listen to
    keys."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if place.presenting:
            st.subheader(title, anchor=False, width="content")
        for label, icon, to in (
            ("Back", ":material/arrow_back:", place.step - 1),
            ("Next", ":material/arrow_forward:", place.step + 1),
        ):
            _button(label, {"step": to}, icon=icon, disabled=to not in NUMBERS)
        with st.container(horizontal=True, width="content", gap="xxsmall"):
            for step in NUMBERS:
                kind = "primary" if step == place.step else "secondary"
                _button(f"{step}", {"step": step}, type=kind)
        _button(
            "End" if place.presenting else "Present",
            {"presenting": not place.presenting},
            icon=":material/close:" if place.presenting else ":material/slideshow:",
            help="Large type and no menu. Go on and back with arrows, Page Up and Down, Space, "
            "Home, End or a clicker. Enter presses a button. Escape ends.",
        )
        if place.presenting:
            st.button(
                "Code",
                icon=":material/code:",
                type="primary" if code_is_open() else "secondary",
                on_click=_turn_code,
            )
            fill_screen()
        hear_keys(
            "tour-keys",
            place.step,
            LAST,
            ALL_KEYS if place.presenting else ARROWS,  # the others scroll a long page
            lambda step: go(step=step),
            leave=_leave if place.presenting else None,
        )


def code_is_open() -> bool:
    """Tell whether a presenter shows the step's code."""
    return st.session_state.get("tour-code", False)


def _button(label: str, to: dict, **options) -> None:
    # This is a callback because the elements above the buttons depend on the place.
    st.button(label, on_click=go, kwargs=to, **options)


def _turn_code() -> None:
    st.session_state["tour-code"] = not code_is_open()


def _leave() -> None:
    """Close the code if it is open, else end presenting."""
    if code_is_open():
        st.session_state["tour-code"] = False
    else:
        go(presenting=False)
