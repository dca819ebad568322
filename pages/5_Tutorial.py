"""Tutorial: the guided tour in six steps, from the model to what to use today."""

import streamlit as st

from view.shared.page import errors_shown, start_page
from view.shared.take import offer_export
from view.tutorial.results import MODEL
from view.tutorial.stepper import choose_step, is_presenting
from view.tutorial.steps import STEPS
from wlm.quantization.prepare import why_unavailable


def main() -> None:
    presenting = is_presenting()
    start_page("Tutorial", menu=not presenting)
    with errors_shown():
        number = choose_step(presenting)
        step = STEPS[number - 1]
        point, more = step.words()
        if presenting:
            # The point is what the last row must read.
            st.header(f"{number}. {step.title}", anchor=False)
            st.title(point, anchor=False)
        else:
            st.title(f"{number}. {step.title}", anchor=False)
            st.markdown(f"{point} {more}")
        step.show(presenting)
        if not presenting:
            with st.expander("The code that does it", icon=":material/code:", expanded=True):
                st.code(step.code, language="python")
            if step.variant and not why_unavailable(step.variant):
                offer_export(MODEL, [step.variant])


main()
