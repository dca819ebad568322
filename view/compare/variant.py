"""The details of a variant: a description, its modules next to fp32's, and the code that makes
it."""

from collections.abc import Sequence

import streamlit as st

from view.shared import server
from view.shared.choices import choose_one
from view.shared.export import offer_export
from view.shared.page import errors_shown
from wlm.catalog.registry import find_model
from wlm.paths import shown_path
from wlm.quantization.prepare import slow_here
from wlm.quantization.printout import printout
from wlm.quantization.snippet import code_for
from wlm.quantization.variant import Variant, describe


@st.fragment
@errors_shown()
def show_variant(model: str, names: Sequence[str]) -> None:
    """Show one of a named model's variants: the last one until the visitor chooses another. The
    choice redraws only this part."""
    st.header("The model, before and after")
    variants = {name: Variant.parse(name) for name in reversed(names)}
    labels = {name: variant.label for name, variant in variants.items()}
    name = choose_one("Variant", list(variants), default=names[-1], format_func=labels.get)
    variant = variants[name]
    st.markdown(f"**{variant.label}** (`{variant}`): {describe(variant)}")
    if reason := slow_here(variant):
        st.caption(f":material/speed: {reason}")
    offer_export(model, [variant])
    before, after = st.columns(2)
    config = server.config_of(model)
    before.code(printout(config, Variant()), language=None, wrap_lines=True)
    after.code(printout(config, variant), language=None, wrap_lines=True)
    st.header("The code that does it")
    st.code(code_for(variant, shown_path(find_model(model))), language="python")
    if variant.runtime == "pytorch":
        st.caption(
            "`torch.ao.quantization` is deprecated: PyTorch warns at each call and has announced "
            "its removal, with no replacement for LSTMs. This app pins the release that still has "
            "it."
        )
    else:
        st.caption(
            "ONNX Runtime needs the packages onnx and onnxruntime. A cache folder keeps up to 1 GB "
            "of exported files."
        )
