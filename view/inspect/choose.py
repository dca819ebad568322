"""What Inspect has one choose: variants, which its URL holds by name."""

import streamlit as st

from view.shared.choices import offered_variants
from view.shared.page import show_error
from wlm.errors import VariantError
from wlm.measuring.spec import MAX_VARIANTS
from wlm.quantization.variant import Variant

DEFAULT = ("fp32", "int8")
CHOSEN = "chosen-variants"


def choose_variants(model: str) -> list[Variant]:
    """Draw the choice of a named model's variants; the URL holds their names as the command line
    reads them."""
    asked = []
    for name in st.query_params.get_all("variants")[:MAX_VARIANTS]:
        try:
            asked.append(Variant.parse(name))
        except VariantError as error:
            show_error(str(error))
    offered = offered_variants(model)
    if len(offered) == 1:
        asked = offered
    asked = asked or [Variant.parse(name) for name in DEFAULT]
    by_label = {variant.label: variant for variant in [*offered, *asked]}
    chosen = st.pills(
        "Variants",
        list(by_label),
        selection_mode="multi",
        default=[variant.label for variant in asked],
        key=CHOSEN,
        on_change=write_to_url,
        args=(by_label,),
    )
    if len(chosen) > MAX_VARIANTS:
        st.caption(f":material/info: The first {MAX_VARIANTS} are shown, as many as fit.")
    return [variant for label, variant in by_label.items() if label in chosen][:MAX_VARIANTS]


def write_to_url(by_label: dict[str, Variant]) -> None:
    """Name the chosen variants in the URL, before the menu's links repeat it."""
    chosen = st.session_state[CHOSEN]
    names = [str(variant) for label, variant in by_label.items() if label in chosen]
    if names == [*DEFAULT]:
        st.query_params.pop("variants", None)
    else:
        st.query_params["variants"] = names
