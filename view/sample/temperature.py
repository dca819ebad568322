"""The temperature explained: one slider, one distribution that it reshapes."""

import math
from dataclasses import replace

import streamlit as st

from view.sample import charts
from view.sample.texts import Request
from view.shared import server
from view.shared.cards import card
from view.shared.page import errors_shown, plain
from wlm.quantization.variant import Variant
from wlm.sampling.divergence import Reader, entropy, next_word, probabilities
from wlm.sampling.filters import temperature_filter
from wlm.sampling.words import SampleSettings, beginning
from wlm.text.wikitext import detokenize

WORDS = 10  # with a bar of their own
# After a random word every word is unlikely; after these, some words are worth telling apart.
OPENING = ("It", "was", "one", "of", "the")


def show_temperature(request: Request) -> None:
    """Show the next word's distribution where the session's texts part, or after an opening."""
    sample = st.session_state.get("sample")
    if sample is not None and sample.request.model == request.model and all(sample.texts):
        ids, settings = sample.before_first_departure(), sample.request.settings
    else:
        ids, settings = (), example(request.model, request.settings)
    show_after(request.model, settings, ids)


def example(model: str, settings: SampleSettings) -> SampleSettings:
    """Return the settings with an opening to look at, for a start at random. Raises WLMError."""
    vocabulary = server.load_model(model).vocabulary
    if settings.prompt or not all(word in vocabulary for word in OPENING):
        return settings
    return replace(settings, prompt=OPENING)


@st.fragment
def show_after(model: str, settings: SampleSettings, ids: tuple[int, ...]) -> None:
    """Show the next word's distribution after a text begun with the settings."""
    with errors_shown():
        vocabulary = server.load_model(model).vocabulary
        logits = _logits(model, settings, ids)
        read = [*beginning(vocabulary, settings)[0][:, 0].tolist(), *ids]
        words = vocabulary.decode(read[-12:])
        st.markdown(
            f"After :blue-background[{'… ' if len(read) > 12 else ''}"
            f"{plain(detokenize(words).replace(chr(10), ' ').strip()) or 'a new line'}] "
            "fp32 gives each word of its vocabulary a score. Scores divided by the temperature "
            "become probabilities: **a low temperature sharpens, a high one levels, and the "
            "order never changes.**"
        )
        temperature = st.slider("Temperature here", 0.1, 2.0, 1.0, 0.05, key="heat")
        given = probabilities(logits, [temperature_filter(temperature)])
        spread = entropy(given)
        with st.container(horizontal=True):
            card(
                st,
                "Entropy, nats",
                f"{spread:.2f}",
                help="How uncertain the next word is: 0 where it is certain.",
            )
            card(
                st,
                "Effective number of words",
                f"{math.exp(spread):,.1f}",
                help="e to the entropy: as uncertain as so many equally likely words.",
            )
            card(st, "Likeliest word", f"{float(given.max()):.1%}")
        likeliest = logits.topk(min(WORDS, len(logits))).indices.tolist()
        rows = [
            {"word": vocabulary.words[id], "probability": float(given[id]), "rest": False}
            for id in likeliest
        ]
        if others := len(given) - len(rows):
            rest = max(0.0, 1.0 - sum(row["probability"] for row in rows))
            rows.append({"word": f"{others:,} others", "probability": rest, "rest": True})
        st.vega_lite_chart(charts.reshaped(rows), key="reshaped")


@st.cache_resource(show_spinner=False, max_entries=32)
def _logits(model: str, settings: SampleSettings, ids: tuple[int, ...]):
    """The scores, read once for all places of the slider."""
    variant = server.imported_as(model) or Variant()
    reader = Reader.of(server.load_variant(model, variant), variant)
    return next_word(reader, server.load_model(model).vocabulary, settings, ids)
