"""Tutorial: the guided tour in six steps, from the model to what to use today."""

import streamlit as st

from view import tour, ui

NUMBERS = list(range(1, len(tour.STEPS) + 1))


def main() -> None:
    presenting = st.session_state.get("present", st.query_params.get("present") in ("true", "1"))
    ui.start_page("Tutorial", menu=not presenting)
    with ui.errors_shown():
        number = choose_step(presenting)
        step = tour.STEPS[number - 1]
        said = shown = st.container()
        if presenting:  # side by side, so that all of it is on the screen
            said, shown = st.columns([2, 3], gap="large")
        with said:
            st.title(f"{number}. {step.title}", anchor=False)
            tour.write(step.sentences(), presenting)
        with shown:
            step.show(presenting)
        show_code(said if presenting else shown, step.code, presenting)


def show_code(place, code: str, presenting: bool) -> None:
    """Show a step's code; a speaker opens it over the page when asked for it."""
    name, icon = "The code that does it", ":material/code:"
    with (
        place.popover(name, icon=icon)
        if presenting
        else place.expander(name, icon=icon, expanded=True)
    ):
        st.code(code, language="python")


def choose_step(presenting: bool) -> int:
    """Draw Back, the steps, Next and the presenter's switch; return the step's number."""
    with st.container(horizontal=True, vertical_alignment="center"):
        now = st.session_state.get("step") or number_in_url()
        st.button(
            "Back",
            icon=":material/arrow_back:",
            shortcut="Left",
            disabled=now == 1,
            on_click=go_to,
            args=(now - 1,),
        )
        st.segmented_control(
            "Step",
            NUMBERS,
            default=1,
            required=True,
            key="step",
            bind="query-params",
            label_visibility="collapsed",
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            shortcut="Right",
            type="primary",
            disabled=now == NUMBERS[-1],
            on_click=go_to,
            args=(now + 1,),
        )
        st.toggle(
            "Present",
            key="present",
            bind="query-params",
            help="Large type and no menu; the arrow keys go on and back.",
        )
    return st.session_state["step"] or 1


def number_in_url() -> int:
    """Return the step that the URL asks for, before the widget has read it."""
    asked = st.query_params.get("step", "1")
    return int(asked) if asked in map(str, NUMBERS) else 1


def go_to(number: int) -> None:
    """Open a step: a callback, since a widget's value cannot change once it is drawn."""
    st.session_state["step"] = number


main()
