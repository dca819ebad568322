"""The temperature explained with one distribution that it reshapes."""

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
from wlm.sampling.words import SampleSettings, beginning
from wlm.text.wikitext import readable

WORDS = 10  # bars; one more bar is for all others


def show_temperature(request: Request) -> None:
    """Show the next word's distribution at the page's temperature, where the texts first differ, or
    after the opening."""
    sample = st.session_state.get("sample")
    if sample is not None and sample.request.model == request.model and all(sample.texts):
        ids, settings = sample.before_first_departure(), sample.request.settings
    else:
        ids, settings = (), request.settings
    with errors_shown():
        vocabulary = server.load_model(request.model).vocabulary
        variant = server.imported_as(request.model) or Variant()
        logits = _logits(request.model, variant, replace(settings, temperature=1.0), ids)
        read = [*beginning(vocabulary, settings)[0][:, 0].tolist(), *ids]
        words = vocabulary.decode(read[-12:])
        st.markdown(
            f"After :blue-background[{'… ' if len(read) > 12 else ''}"
            f"{plain(readable(words).replace(chr(10) * 2, ' ')) or 'end of line'}] "
            f"{variant.label} gives each word of its vocabulary a score. The scores, divided by "
            f"the temperature ({request.settings.temperature:g}; move the slider above), become "
            "probabilities: **a low temperature favors the likeliest words, a high temperature "
            "evens them out, and their order never changes.**"
        )
        given = probabilities(logits, request.settings.weighting(vocabulary))
        spread = entropy(given)
        with st.container(horizontal=True):
            card(
                st,
                "Entropy, nats",
                f"{spread:.2f}",
                help="How uncertain the next word is: 0 if it is certain.",
            )
            card(
                st,
                "Effective number of words",
                f"{math.exp(spread):,.1f}",
                help="e to the power of the entropy: this many equally likely words would be as "
                "uncertain.",
            )
            card(st, "Likeliest word", f"{float(given.max()):.1%}")
        likeliest = given.topk(min(WORDS, len(given))).indices.tolist()
        rows = [
            {"word": vocabulary.words[id], "probability": float(given[id]), "rest": False}
            for id in likeliest
        ]
        if others := len(given) - len(rows):
            rest = max(0.0, 1.0 - sum(row["probability"] for row in rows))
            rows.append({"word": f"{others:,} others", "probability": rest, "rest": True})
        st.vega_lite_chart(charts.reshaped(rows), key="reshaped")


@st.cache_resource(show_spinner=False, max_entries=32)
def _logits(model: str, variant: Variant, settings: SampleSettings, ids: tuple[int, ...]):
    """Return the scores, which do not depend on the temperature."""
    reader = Reader.of(server.load_variant(model, variant), variant)
    return next_word(reader, server.load_model(model).vocabulary, settings, ids)
