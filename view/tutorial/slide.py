"""A step of the tour as a page to read, and as a slide for a lecture hall."""

from pathlib import Path

import streamlit as st

from view.shared.export import offer_export
from view.tutorial.results import MODEL
from view.tutorial.steps import Step
from wlm.quantization.prepare import why_unavailable

_large_code = st.components.v2.component(
    "wlm.large_code",
    html='<pre tabindex="0"></pre>',
    css=Path(__file__).with_name("code.css").read_text("utf-8"),
    js=Path(__file__).with_name("code.js").read_text("utf-8"),
)


def show_page(title: str, step: Step) -> None:
    """Show a step as a page to read: words, its result, its code, and the export of its variant."""
    st.title(title, anchor=False)
    st.markdown(" ".join(step.words()))
    step.show(False)
    with st.expander("The code", icon=":material/code:", expanded=True):
        st.code(step.code, language="python")
    if step.variant and not why_unavailable(step.variant):
        offer_export(MODEL, [step.variant])


def show_slide(step: Step, code: bool) -> None:
    """Show a step's point in large type with its result, or with its code next to the point."""
    point, more = step.words()
    if code:
        words, beside = st.columns([1, 2], gap="medium")
        with words:
            st.title(point, anchor=False)
            st.header(more, anchor=False)
        with beside:
            _large_code(key="tour-code-panel", data={"code": step.code})
        return
    if step.fills_slide:
        st.header(point, anchor=False)
        step.show(True)
        return
    st.title(point, anchor=False)
    step.show(True)
    st.header(more, anchor=False)
