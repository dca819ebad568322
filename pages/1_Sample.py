"""Sample: text from several variants side by side, with the same random numbers."""

import streamlit as st

from view.sample.blind_test import show_blind_test
from view.sample.choose import choose_sample
from view.sample.current import show_current
from view.sample.temperature import show_temperature
from view.shared.choices import choose_model, in_url
from view.shared.page import errors_shown, start_page


def main() -> None:
    start_page("Sample")
    model = choose_model()
    st.title("The same dice, two models")
    st.markdown(
        "Each word is drawn from a model's probabilities for the next word, then fed back in. All "
        "models get the same random numbers: they write the same text until quantization tips a "
        "draw."
    )
    choice = choose_sample(model)
    show_current(choice.request, choice.raw, choice.pressed, choice.stop)
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
