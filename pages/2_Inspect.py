"""Inspect: the bytes, time and error of each module of a model."""

import streamlit as st

from view.inspect.bytes import show_bytes
from view.inspect.choose import choose
from view.inspect.diagram import show_model
from view.inspect.errors import show_errors
from view.inspect.times import show_current
from view.shared.choices import choose_model, choose_text, in_url
from view.shared.export import offer_export
from view.shared.page import errors_shown, start_page
from wlm.inspecting.times import InspectSpec
from wlm.quantization.variant import Variant


def main() -> None:
    start_page("Inspect")
    model, text = choose_model(), choose_text()
    st.title("Where do bytes, time and error come from?")
    st.markdown(
        "A word passes through an embedding, a stack of LSTM layers and a decoder. See each part's "
        "size in the file, its time, and its rounding error."
    )
    if not (variants := choose(model)):
        st.info("Choose at least one variant.", icon=":material/touch_app:")
        return
    offer_export(model, variants)
    show_tabs(model, text, variants)


def show_tabs(model: str, text: str, variants: list[Variant]) -> None:
    """Show the open tab, without computing the others."""
    contents = {
        "Bytes": lambda: show_bytes(model, variants),
        "Time": lambda: show_current(InspectSpec(tuple(map(str, variants)), model, text)),
        "Error": lambda: show_errors(model, text, variants),
        "Model": lambda: show_model(model, variants),
    }
    tabs = st.tabs(list(contents), **in_url("tab"))
    for tab, show in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab, errors_shown():
                show()


with errors_shown():
    main()
