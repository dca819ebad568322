"""How: a weight, an input and their sum become integers, in the numbers of one word."""

import streamlit as st

from view.how.choose import choose_word
from view.how.current import show_current, why_not
from view.shared.choices import choose_model
from view.shared.page import errors_shown, start_page


def main() -> None:
    start_page("How")
    model = choose_model()
    st.title("How int8 works, on this model's own numbers")
    st.markdown(
        "Every number below is the model's own, at the word that you choose: click one, or step "
        "with ← and →. The sum in integers is the one that PyTorch works out."
    )
    if reason := why_not(model):
        st.info(reason, icon=":material/info:")
        return
    show_current(choose_word(model))


with errors_shown():
    main()
