"""The way through the guided tour: back, next, any step, and the presenter's mode."""

import streamlit as st

from view.tutorial.steps import STEPS

NUMBERS = list(range(1, len(STEPS) + 1))


def is_presenting() -> bool:
    """Tell whether a presenter wants large type and no menu."""
    # The URL begins; a rerun asked for before it has changed may bring the old one.
    asked = st.query_params.get("present") in ("true", "1")
    return st.session_state.setdefault("presenting", asked)


def choose_step(presenting: bool) -> int:
    """Draw Back, Next, the presenter's button and the steps; return the step's number."""
    number = st.session_state.setdefault("tour-step", number_in_url())
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, key, kind, to in (
            ("Back", ":material/arrow_back:", "Left", "secondary", number - 1),
            ("Next", ":material/arrow_forward:", "Right", "primary", number + 1),
        ):
            away = {"disabled": to not in NUMBERS, "on_click": go_to, "args": (to,)}
            st.button(label, icon=icon, shortcut=key, type=kind, **away)
        # All are buttons: a toggle or segmented control, once clicked, has the arrow keys itself.
        st.button(
            "End" if presenting else "Present",
            icon=":material/close:" if presenting else ":material/slideshow:",
            on_click=present,
            args=(not presenting,),
            help="Large type and no menu; the arrow keys go on and back.",
        )
        with st.container(horizontal=True, width="content", gap="small"):
            for each in NUMBERS:
                kind = "secondary" if each == number else "tertiary"
                st.button(f"{each}", type=kind, on_click=go_to, args=(each,))
        if presenting:
            with st.popover("Code", icon=":material/code:"):
                st.code(STEPS[number - 1].code, language="python")
    return number


def number_in_url() -> int:
    """Return the step that the URL asks for, the first one where it asks for none of them."""
    asked = st.query_params.get("step", "1")
    return int(asked) if asked in map(str, NUMBERS) else 1


def go_to(number: int) -> None:
    """Open a step: a callback, since the buttons depend on the step."""
    st.session_state["tour-step"] = number
    st.query_params["step"] = str(number)


def present(on: bool) -> None:
    """Begin or end the presenter mode."""
    st.session_state["presenting"] = on
    if on:
        st.query_params["present"] = "true"
    else:
        st.query_params.pop("present", None)
