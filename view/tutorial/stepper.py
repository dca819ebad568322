"""The navigation of the guided tour: back, next, any step, and the presenter's mode."""

import streamlit as st

from view.tutorial.keys import hear_keys
from view.tutorial.place import NUMBERS, Place, go


def show_stepper(place: Place, title: str) -> None:
    """Draw Back, Next, the steps, and the presenter's buttons, after a slide's title. Listen to
    keys."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if place.presenting:
            st.header(title, anchor=False, width="content")
        for label, icon, to in (
            ("Back", ":material/arrow_back:", place.step - 1),
            ("Next", ":material/arrow_forward:", place.step + 1),
        ):
            _button(label, {"step": to}, icon=icon, disabled=to not in NUMBERS)
        with st.container(horizontal=True, width="content", gap="small"):
            for each in NUMBERS:
                kind = "primary" if each == place.step else "secondary"
                _button(f"{each}", {"step": each}, type=kind)
        _button(
            "End" if place.presenting else "Present",
            {"presenting": not place.presenting},
            icon=":material/close:" if place.presenting else ":material/slideshow:",
            help="Large type and no menu. Arrows, Page Up and Down, Space, Home, End and a clicker "
            "go on and back; Enter presses a button, Escape ends. Ctrl and + makes all larger.",
        )
        if place.presenting:
            st.button(
                "Code",
                icon=":material/code:",
                type="primary" if code_is_open() else "secondary",
                on_click=_turn_code,
            )
        hear_keys(place)


def code_is_open() -> bool:
    """Tell whether a presenter shows the step's code."""
    return st.session_state.get("tour-code", False)


def _button(label: str, to: dict, **options) -> None:
    # This is a callback because the elements above the buttons depend on the place.
    st.button(label, on_click=go, kwargs=to, **options)


def _turn_code() -> None:
    st.session_state["tour-code"] = not code_is_open()
