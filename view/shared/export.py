"""The export of a variant as an archive that runs without this app."""

from collections.abc import Sequence

import streamlit as st

from view.shared import server
from view.shared.page import errors_shown
from wlm.exporting.formats import HOLDS, formats_of
from wlm.measuring.wording import size_in_words
from wlm.quantization.variant import Variant

TAKEN = "taken"  # the archive of the last request: its name, bytes, and the check on its card


@st.fragment
def offer_export(model: str, variants: Sequence[Variant]) -> None:
    """Draw the export of one of a named model's variants as an archive. The archive is made only
    when the visitor asks for it."""
    with st.popover("Export", icon=":material/download:"), errors_shown():
        variant = variants[0]
        if len(variants) > 1:
            by_label = {variant.label: variant for variant in variants}
            variant = by_label[st.selectbox("Variant", list(by_label), key="take-variant")]
        format = st.radio(
            "Format",
            formats_of(variant),
            format_func=lambda name: f"{name}: {HOLDS[name]}",
            key=f"take-{variant}",
        )
        st.caption(
            "A zip archive with the weights, the vocabulary, a short script that runs the weights "
            "without this app, and a card that names their source."
        )
        asked = model, variant, format
        if st.button("Create", icon=":material/archive:", type="primary"):
            with st.spinner("Creating and checking the archive …"):
                made = server.archive(*asked)
            check = made.card["check"]
            st.session_state[TAKEN] = asked, made.name, len(made.content), check
        if (taken := st.session_state.get(TAKEN)) and taken[0] == asked:
            hand_out(*taken)


def hand_out(asked: tuple[str, Variant, str], name: str, size: int, check: dict) -> None:
    """Draw the download of an archive that was made. A click reads it from the cache."""
    st.download_button(
        f"Download, {size_in_words(size)}",
        lambda: server.archive(*asked).content,
        name,
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(
        f"Checked: the archive's script finds a loss of {check['loss']:.4f} nats on "
        f"{check['tokens']} words of {check['text']}."
    )
