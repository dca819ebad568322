"""The models and texts that are here: what each is, or what is wrong with it."""

import streamlit as st

from view.shared.page import plain, show_error
from wlm.catalog import inventory
from wlm.catalog.inventory import Item
from wlm.measuring.wording import size_in_words, size_unit

IN_FP32 = (
    "Its state_dict as 32-bit floats, which other pages set variants against: with its names, the "
    "file is a few kB larger. On disk here it may be kept in fewer bits."
)


@st.cache_data(ttl=60, show_spinner="Checking the files …")
def what_is_here(fetches: int) -> tuple[list[Item], list[Item]]:
    """Models and texts, looked at anew after each fetch: every file is read to check its hash."""
    return inventory.models_here(), inventory.texts_here()


def show_items(title: str, items: list[Item]) -> None:
    """Show each model or text: its facts, or what is wrong with it."""
    st.subheader(title)
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
                    item.licence and f"Licence: {item.licence}",
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
                    help="Nats per token, as its card says; of so many words unknown to the model.",
                )
