"""The temperature explained: one distribution, which it reshapes."""

import math

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

WORDS = 10  # with a bar of their own
# Buttons, not a second slider: that would send its old place along when the page's own is moved.
TEMPERATURES = (0.1, 0.5, 0.8, 1.0, 1.5, 2.0)


def show_temperature(request: Request) -> None:
    """Show the next word's distribution where the session's texts part, or after the opening, at
    the page's temperature, and buttons that set that."""
    sample = st.session_state.get("sample")
    if sample is not None and sample.request.model == request.model and all(sample.texts):
        ids, settings = sample.before_first_departure(), sample.request.settings
    else:
        ids, settings = (), request.settings
    with errors_shown():
        vocabulary = server.load_model(request.model).vocabulary
        logits = _logits(request.model, settings, ids)
        read = [*beginning(vocabulary, settings)[0][:, 0].tolist(), *ids]
        words = vocabulary.decode(read[-12:])
        st.markdown(
            f"After :blue-background[{'… ' if len(read) > 12 else ''}"
            f"{plain(readable(words).replace(chr(10) * 2, ' ')) or 'a new line'}] "
            "fp32 gives each word of its vocabulary a score. Scores divided by the temperature "
            "become probabilities: **a low temperature sharpens, a high one levels, and the "
            "order never changes.**"
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Temperature")
            for each in TEMPERATURES:
                kind = "primary" if each == request.settings.temperature else "secondary"
                st.button(f"{each:g}", type=kind, on_click=_set, args=(each,))
        given = probabilities(logits, request.settings.weighting(vocabulary))
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
        likeliest = given.topk(min(WORDS, len(given))).indices.tolist()
        rows = [
            {"word": vocabulary.words[id], "probability": float(given[id]), "rest": False}
            for id in likeliest
        ]
        if others := len(given) - len(rows):
            rest = max(0.0, 1.0 - sum(row["probability"] for row in rows))
            rows.append({"word": f"{others:,} others", "probability": rest, "rest": True})
        st.vega_lite_chart(charts.reshaped(rows), key="reshaped")


def _set(temperature: float) -> None:
    st.session_state["temperature"] = temperature


@st.cache_resource(show_spinner=False, max_entries=32)
def _logits(model: str, settings: SampleSettings, ids: tuple[int, ...]):
    """The scores, read once for all places of the slider."""
    variant = server.imported_as(model) or Variant()
    reader = Reader.of(server.load_variant(model, variant), variant)
    return next_word(reader, server.load_model(model).vocabulary, settings, ids)
