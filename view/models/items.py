"""The list of models and texts on this server, with their facts or problems."""

import streamlit as st

from view.shared.page import plain, show_error
from wlm.catalog import inventory
from wlm.catalog.inventory import Item
from wlm.measuring.wording import size_in_words, size_unit

IN_FP32 = (
    "The size of the weights as 32-bit floats, the baseline on other pages. A file also has names, "
    "so it is a few kB larger. The file here may store the weights in fewer bits."
)


@st.cache_data(ttl=60, show_spinner="Checking the files …")
def items_here(fetches: int) -> tuple[list[Item], list[Item]]:
    """Return models and texts, after reading every file to check its hash; `fetches` makes it look
    again after each download."""
    return inventory.models_here(), inventory.texts_here()


def show_items(title: str, items: list[Item]) -> None:
    """Show the facts of each model or text, or its problem."""
    st.header(title)
    for item in items:
        if item.problem:
            show_error(item.problem)
            continue
        with st.container(border=True):
            words, size, loss = st.columns([4, 1, 1], vertical_alignment="center")
            with words:
                st.markdown(f"**{plain(item.name)}**")
                facts = [
                    item.origin,
                    item.fp32_bytes and f"File on disk: {size_in_words(item.size_bytes)}",
                    item.source and f"Trained on {item.source}",
                    item.licence and f"License: {item.licence}",
                    item.weights_read and f"Weights read: {item.weights_read}",
                ]
                lines = [plain(fact[0].upper() + fact[1:]) for fact in facts if fact]
                st.caption("  \n".join([*lines, f"SHA-256 `{item.sha256}`"]))
            bytes = item.fp32_bytes or item.size_bytes
            unit, scale = size_unit([bytes])
            if item.fp32_bytes:
                size.metric(f"In fp32, {unit}", f"{bytes / scale:.1f}", help=IN_FP32)
            else:
                size.metric(f"On disk, {unit}", f"{bytes / scale:.1f}")
            if item.loss is not None:
                loss.metric(
                    "Test loss, fp32",
                    f"{round(item.loss, 4):g}",
                    None if item.unknown is None else f"{item.unknown:.1%} unknown",
                    delta_color="off",
                    delta_arrow="off",
                    help="Nats per token, from the model's card, and the share of unknown words.",
                )
