"""The models and texts that are here: what each is, or what is wrong with it."""

import streamlit as st

from view.shared.page import plain, show_error
from wlm.catalog import inventory
from wlm.catalog.inventory import Item


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
                    item.source and f"Trained on {item.source}",
                    item.licence and f"Licence: {item.licence}",
                    item.weights_read and f"Weights read: {item.weights_read}",
                ]
                lines = [plain(fact[0].upper() + fact[1:]) for fact in facts if fact]
                st.caption("  \n".join([*lines, f"SHA-256 `{item.sha256}`"]))
            size.metric("Size, MB", f"{item.size_bytes / 1e6:.2f}")
            if item.loss is not None:
                loss.metric(
                    "Test loss, fp32",
                    f"{round(item.loss, 4):g}",
                    help="Nats per token, as its card says.",
                )
