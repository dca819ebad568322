"""The texts of a round, made for a room and shown to it."""

import random
from collections.abc import Sequence

import streamlit as st

from view.sample.typeset import typeset
from wlm.audience.room import ROUNDS, Pair, Room
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.sampling.words import SampleSettings
from wlm.text.wikitext import tokenize

TEMPERATURE = 0.8


def make_room(host: str) -> Room:
    """Have both models write the texts of all rounds, so that nothing waits on the stage."""
    from view.sample.blind_test import OPENINGS, draw_round  # what phones do without

    pairs = []
    for opening in random.SystemRandom().sample(OPENINGS, ROUNDS):
        prompt = tuple(tokenize(opening))
        made = draw_round(
            DEFAULT_MODEL, SampleSettings(TEMPERATURE, prompt=prompt, allow_eos=False)
        )
        pairs.append(Pair(tuple(map(tuple, made.texts)), made.quantized))
    return Room(host, tuple(pairs))


def show_text(words: Sequence[str], large: bool = False) -> None:
    """Show one text as people write it; `large` is for a stage."""
    text = f"{typeset(list(words))} …"
    st.subheader(text, anchor=False) if large else st.markdown(text)
