"""Sample: text by several variants side by side, with the same random numbers."""

import streamlit as st

from view.sample.blind_test import show_blind_test
from view.sample.choose import choose_sample
from view.sample.results import show_results
from view.sample.temperature import show_temperature
from view.shared.choices import choose_model, in_url
from view.shared.page import errors_shown, start_page


def main() -> None:
    start_page("Sample")
    model = choose_model()
    st.title("Does int8 write the same text?")
    st.markdown(
        "All variants get the same random numbers, so they write the same text until quantization "
        "changes a word. Each word is drawn from the variant's probabilities and then becomes the "
        "next input."
    )
    choice = choose_sample(model)
    show_results(choice.request, choice.raw, choice.pressed, choice.stop)
    st.divider()
    heat, blind = st.tabs(["Temperature", "Blind test"], **in_url("more"))
    if heat.open:
        with heat, errors_shown():
            show_temperature(choice.request)
    elif blind.open:
        with blind:
            show_blind_test(model, choice.request.settings, choice.prompt)


with errors_shown():
    main()
