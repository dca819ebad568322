"""The controls of Sample: variants, a prompt, a temperature, and more settings."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from view.sample.prompt import STARTS, offer_near_words, opening
from view.sample.texts import Request
from view.shared import server
from view.shared.choices import choose_variants, in_url, offered_variants, show_slow
from wlm.sampling.words import SampleSettings
from wlm.text.wikitext import tokenize


@dataclass(frozen=True)
class Choice:
    """The selected settings, and the words of the visitor's own prompt in them; whether to show raw
    tokens, whether the visitor pressed a button to write, and the place for the Stop button."""

    request: Request
    prompt: tuple[str, ...]
    raw: bool
    pressed: bool
    stop: DeltaGenerator


def choose_sample(model: str) -> Choice:
    """Draw the controls and return the choice. Raises WLMError."""
    offered = offered_variants(model)
    variants = choose_variants(
        "Variants",
        "variants",
        offered,
        offered[:2],  # fp32 and int8
        most=4,
        help="Up to four, side by side. Each is compared with the first.",
    )
    show_slow(variants)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prompt = st.text_input(
            "Prompt",
            placeholder="Empty: a random opening",
            max_chars=300,
            width=270,
            **in_url("prompt"),
        )
        temperature = st.slider(
            "Temperature",
            min_value=0.1,
            max_value=2.0,
            value=0.8,
            step=0.05,
            width=170,
            **in_url("temperature"),
            help="Below 1, likely words become more likely. Above 1, unlikely words do.",
        )
        with st.popover("More", icon=":material/tune:"):
            more = choose_more()
        pressed = st.button("Write", type="primary", icon=":material/edit:")
        pressed |= st.button("Next seed", icon=":material/casino:", on_click=next_seed)
        stop = st.empty()
    words, start, raw = more.pop("words"), more.pop("start"), more.pop("raw")
    tokens = tuple(tokenize(prompt)) if prompt.strip() else ()
    offer_near_words(model, tokens)
    first = tokens or opening(server.load_model(model).vocabulary, start, more["seed"])
    settings = SampleSettings(temperature=temperature, prompt=first, draw="race", **more)
    return Choice(Request(model, tuple(variants), settings, words), tokens, raw, pressed, stop)


def choose_more() -> dict:
    """Draw the settings that a first text does not need."""
    return {
        "words": st.number_input("Maximum words", 10, 1000, 150, step=10, **in_url("words")),
        "seed": st.number_input("Seed", 0, 2**31 - 1, 1, **in_url("seed")),
        "start": st.selectbox(
            "Without a prompt, start after",
            STARTS,
            **in_url("start"),
            help="The tutorial starts after a random word, which the seed determines.",
        ),
        "top_k": st.number_input(
            "Top-k", 0, 1000, 0, **in_url("k"), help="Only the k likeliest words; 0 for all."
        ),
        "top_p": st.slider(
            "Top-p",
            0.05,
            1.0,
            1.0,
            0.05,
            **in_url("p"),
            help="Only the likeliest words, up to a total probability of p.",
        ),
        "allow_unk": not st.toggle("Never write `<unk>`", value=True, **in_url("known")),
        "stop_at_article": st.toggle("Stop at the end of an article", **in_url("article")),
        "raw": st.toggle("Show raw tokens", **in_url("raw")),
    }


def next_seed() -> None:
    """Go on to the next seed: a callback, since its widget is drawn before the button."""
    st.session_state["seed"] = (st.session_state["seed"] + 1) % 2**31
