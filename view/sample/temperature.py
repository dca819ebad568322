"""The temperature explained: one slider, one distribution that it reshapes."""

import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from view.sample import charts as sample_charts
from view.shared import page as ui
from view.shared.charts import ink
from wlm.quantization.variant import Variant
from wlm.sampling.divergence import Reader, entropy, next_word, probabilities
from wlm.sampling.filters import temperature_filter
from wlm.sampling.words import SampleSettings, beginning
from wlm.text.wikitext import detokenize

WORDS = 10  # with a bar of their own
# After a random word every word is unlikely; after these, some words are worth telling apart.
OPENING = ("It", "was", "one", "of", "the")


def example(model: str, settings: SampleSettings) -> SampleSettings:
    """Return the settings with an opening to look at, for a start at random. Raises WLMError."""
    vocabulary = ui.load_model(model).vocabulary
    if settings.prompt or not all(word in vocabulary for word in OPENING):
        return settings
    return replace(settings, prompt=OPENING)


@st.fragment
def show(model: str, settings: SampleSettings, ids: tuple[int, ...]) -> None:
    """Show the next word's distribution after a text begun with the settings."""
    with ui.errors_shown():
        vocabulary = ui.load_model(model).vocabulary
        logits = _logits(model, settings, ids)
        read = [*beginning(vocabulary, settings)[0][:, 0].tolist(), *ids]
        words = vocabulary.decode(read[-12:])
        st.markdown(
            f"After :blue-background[{'… ' if len(read) > 12 else ''}"
            f"{ui.plain(detokenize(words).replace(chr(10), ' ').strip()) or 'a new line'}] "
            "fp32 gives each word of its vocabulary a score. Scores divided by the temperature "
            "become probabilities: **a low temperature sharpens, a high one levels, and the "
            "order never changes.**"
        )
        temperature = st.slider("Temperature here", 0.1, 2.0, 1.0, 0.05, key="heat")
        given = probabilities(logits, [temperature_filter(temperature)])
        spread = entropy(given)
        with st.container(horizontal=True):
            st.metric(
                "Entropy, nats",
                f"{spread:.2f}",
                border=True,
                help="How uncertain the next word is: 0 where it is certain.",
            )
            st.metric(
                "Effective number of words",
                f"{math.exp(spread):,.1f}",
                border=True,
                help="e to the entropy: as uncertain as so many equally likely words.",
            )
            st.metric("Likeliest word", f"{float(given.max()):.1%}", border=True)
        likeliest = logits.topk(min(WORDS, len(logits))).indices.tolist()
        rows = [
            {"word": vocabulary.words[id], "probability": float(given[id]), "rest": False}
            for id in likeliest
        ]
        if others := len(given) - len(rows):
            rest = max(0.0, 1.0 - sum(row["probability"] for row in rows))
            rows.append({"word": f"{others:,} others", "probability": rest, "rest": True})
        st.altair_chart(sample_charts.reshaped(pd.DataFrame(rows), ink=ink()), key="reshaped")


def _logits(model: str, settings: SampleSettings, ids: tuple[int, ...]):
    """The scores, read once for all places of the slider."""
    key = (model, settings.prompt, settings.seed, ids)
    found = st.session_state.get("scores")
    if found is None or found[0] != key:
        reader = Reader.of(ui.load_variant(model, Variant()), Variant())
        scores = next_word(reader, ui.load_model(model).vocabulary, settings, ids)
        found = st.session_state["scores"] = (key, scores)
    return found[1]
