"""Compare: quantize parts of the model, run, and see loss, size and elapsed time side by side."""

import streamlit as st

from view.compare.choose import choose_comparison
from view.compare.diagram import show_diagram
from view.compare.run import show_current
from view.compare.variant import show_variant
from view.shared import guard, server, visitor
from view.shared.choices import choose_model, choose_text
from view.shared.page import errors_shown, link_to, start_page


def main() -> None:
    start_page("Compare")
    model, text = choose_model(), choose_text()
    st.title("What does dynamic quantization change?")
    st.markdown(
        "An LSTM word language model reads a text, once with its weights as 32-bit floats and once "
        "with the parts you choose as 8-bit integers. Both read block by block in turn, on this "
        "machine."
    )
    if len(st.session_state["queries"]) == 1:  # the visitor's first page
        link_to("Tutorial", "New here? Take the tour in eight steps.")
    spec, asked = choose_comparison(model, text)
    if asked:
        with errors_shown():  # on an error, the previous run stays
            st.query_params["run"] = server.job_queue().submit(spec, visitor.name())
    with errors_shown():
        show_current(spec)
    with errors_shown():
        show_diagram(model)
    show_variant(model, spec.variants[1:] or spec.variants)


if __name__ == "__main__":  # Streamlit draws the page
    with errors_shown():
        main()
else:  # the server imports this module
    app = st.App("streamlit_app.py", lifespan=guard.lifespan, middleware=guard.middleware())
