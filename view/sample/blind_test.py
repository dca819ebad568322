"""A blind test: two texts, one by fp32 and one by a quantized model; which is which?"""

import secrets
from dataclasses import dataclass, replace

import streamlit as st

from view.sample.typeset import show_pair
from view.sample.write_queue import wait_to_write
from view.shared import server
from view.shared.page import errors_shown
from wlm.audience.room import SIDES, Pair
from wlm.quantization.variant import Variant
from wlm.sampling.words import SampleSettings, sample_words
from wlm.text.wikitext import tokenize

WORDS = 40  # short enough to read aloud
BASELINE, QUANTIZED = Variant(), Variant(lstm="int8", linear="int8")
# Both texts of a round continue the same words, so that only the continuations differ.
OPENINGS = (
    "The town was",
    "In the summer of 1940 ,",
    "The album received",
    "During the war ,",
    "The second game of the season",
    "The species is",
    "The castle was built",
    "He was born in",
)


@dataclass
class Round:
    """A pair of texts, and the text, 0 or 1, that the visitor took for the quantized model's."""

    pair: Pair
    guessed: int | None = None


@dataclass
class Score:
    """The number of rounds answered in this session, and the number of correct answers."""

    rounds: int = 0
    right: int = 0


@st.fragment
def show_blind_test(model: str, settings: SampleSettings, prompt: tuple[str, ...]) -> None:
    """Show a round to guess, its answer once it is guessed, and the score; the texts go on from a
    visitor's own prompt, if there is one."""
    with errors_shown():
        score = st.session_state.setdefault("score", Score())
        current: Round | None = st.session_state.get("round")
        st.markdown(
            f"Two texts of {WORDS} words continue the same opening with different random numbers. "
            "**fp32 wrote one, int8 the other.** The server assigns A and B at random for each "
            "pair."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            label = "Next pair" if current else "Show a pair"
            waits = current is not None and current.guessed is None
            # A visitor cannot skip a pair without a guess, because skipping would bias the score.
            pressed = st.button(label, icon=":material/casino:", disabled=waits, type="primary")
            if score.rounds:
                st.markdown(
                    f"**{score.right} of {score.rounds}** right; "
                    f":gray[guessing gives {score.rounds / 2:g} on average]"
                )
        if pressed:
            pair = draw_pair(model, replace(settings, prompt=prompt))
            st.session_state["round"] = Round(pair)
            st.rerun()  # the button above is now a different one
        if current:
            show_round(current, score)


def draw_pair(model: str, settings: SampleSettings) -> Pair:
    """Write a text with each model, each with a different seed, and put them in random order."""
    prompt = settings.prompt or tuple(tokenize(secrets.choice(OPENINGS)))
    vocabulary = server.load_model(model).vocabulary
    texts = []
    with wait_to_write(), st.spinner("Both models are writing …"):
        for variant in (BASELINE, QUANTIZED):
            own = replace(settings, prompt=prompt, seed=secrets.randbelow(2**31), allow_unk=False)
            stream = sample_words(server.load_variant(model, variant), vocabulary, own, WORDS)
            texts.append((*prompt, *(sampled.word for sampled in stream)))
    quantized = secrets.randbelow(2)
    return Pair((texts[1 - quantized], texts[quantized]), quantized)


def show_round(current: Round, score: Score) -> None:
    """Show both texts, and below them buttons or the answer."""
    labels, is_open = [BASELINE.label, BASELINE.label], current.guessed is None
    labels[current.pair.quantized] = QUANTIZED.label

    def draw_guess(side: int) -> None:
        if is_open:
            st.button(
                f"{SIDES[side]} is int8",
                icon=":material/compress:",
                on_click=answer,
                args=(current, score, side),
            )

    show_pair(current.pair.texts, [] if is_open else labels, draw_guess)
    if current.guessed is not None:
        if current.guessed == current.pair.quantized:
            st.success("Right.", icon=":material/check:")
        else:
            st.error("Wrong: it was the other one.", icon=":material/close:")


def answer(current: Round, score: Score, guessed: int) -> None:
    """Count one answer; ignore a second press on the same round."""
    if current.guessed is None:
        current.guessed = guessed
        score.rounds += 1
        score.right += guessed == current.pair.quantized
