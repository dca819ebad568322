"""What a text continues from: a visitor's prompt, or an opening."""

import streamlit as st

from view.shared import server
from view.shared.page import plain
from wlm.measuring.wording import counted
from wlm.text.vocabulary import EOS, UNK, Vocabulary
from wlm.text.wikitext import detokenize, nearest_words

MOST_UNKNOWN = 3  # words that get suggestions
TITLE, SENTENCE, ANY = STARTS = ("A title", "A sentence's end", "Any word")
# The first words of articles; the last two words follow the title. The seed chooses one, so that a
# URL fixes it.
OPENINGS = (
    "The White Tower was a",
    "The Old Bridge is a",
    "Hurricane Charles was a",
    "HMS Black Horse was a",
    "North Island Lighthouse is a",
    "The Last Summer is a",
    "Castle Hill Abbey was a",
    "The London Opera Company was a",
)


def offer_near_words(model: str, tokens: tuple[str, ...]) -> None:
    """Name the prompt's unknown words, and offer similar known ones."""
    if not tokens:
        return
    vocabulary = server.load_model(model).vocabulary
    unknown = [word for word in dict.fromkeys(tokens) if word not in vocabulary and word != EOS]
    for word in unknown[:MOST_UNKNOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(word)}** is an unknown word: the model reads it as `{UNK}`.")
            for near in near_words(model, word):
                st.button(
                    plain(near), key=f"near-{word}-{near}", on_click=swap, args=(tokens, word, near)
                )
    if (more := len(unknown) - MOST_UNKNOWN) > 0:
        st.caption(f"and {counted(more, 'more unknown word')}")


@st.cache_data(show_spinner=False, max_entries=1000)
def near_words(model: str, word: str) -> list[str]:
    return nearest_words(word, server.load_model(model).vocabulary)


def swap(tokens: tuple[str, ...], word: str, near: str) -> None:
    st.session_state["prompt"] = detokenize([near if token == word else token for token in tokens])


def opening(vocabulary: Vocabulary, start: str, seed: int) -> tuple[str, ...]:
    """Return the words to read first: a title and the beginning of its article, or a sentence's
    end. Falls back to words that the vocabulary has; returns none for a random word."""
    words = OPENINGS[seed % len(OPENINGS)].split()
    title = ("=", *words[:-2], "=", EOS, EOS, *words)
    choices = {TITLE: (title, (".",)), SENTENCE: ((".",),)}.get(start, ())
    return next((given for given in choices if all(word in vocabulary for word in given)), ())
