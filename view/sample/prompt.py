"""A visitor's prompt: which of its words the model does not know, and what it might have meant."""

import streamlit as st

from view.shared import server
from view.shared.page import plain
from wlm.text.vocabulary import EOS, UNK
from wlm.text.wikitext import detokenize, nearest_words

MOST_UNKNOWN = 3  # words for which near ones are looked up


def offer_near_words(model: str, tokens: tuple[str, ...]) -> None:
    """Say which words of the prompt the model does not know, and offer near ones."""
    if not tokens:
        return
    vocabulary = server.load_model(model).vocabulary
    unknown = [each for each in dict.fromkeys(tokens) if each not in vocabulary and each != EOS]
    for word in unknown[:MOST_UNKNOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"The model reads **{plain(word)}** as `{UNK}`: it is not in its words.")
            for near in near_words(model, word):
                st.button(
                    plain(near), key=f"near-{word}-{near}", on_click=swap, args=(tokens, word, near)
                )
    if len(unknown) > MOST_UNKNOWN:
        st.caption(f"and {len(unknown) - MOST_UNKNOWN} more unknown words")


@st.cache_data(show_spinner=False, max_entries=1000)
def near_words(model: str, word: str) -> list[str]:
    return nearest_words(word, server.load_model(model).vocabulary)


def swap(tokens: tuple[str, ...], word: str, near: str) -> None:
    st.session_state["prompt"] = detokenize([near if each == word else each for each in tokens])
