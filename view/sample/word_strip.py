"""The baseline's text as words to choose from, shaded by how far the variants differ on each."""

from pathlib import Path

import streamlit as st

from view.sample.texts import Sample
from view.sample.typeset import whole_lines
from view.shared.next_words import shown_word

MOST_NATS = 0.5  # the strongest shade, the same for every text
STRONGEST = 0.85  # opacity
WARM = "#e69f00"  # Okabe and Ito's orange: visible under dark and light ink
FOLDER = Path(__file__).parent

_words = st.components.v2.component(
    "wlm.words",
    js=(FOLDER / "word_strip.js").read_text("utf-8"),
    css=(FOLDER / "word_strip.css").read_text("utf-8").replace("WARM", WARM),
)


def choose_word(sample: Sample, first: int) -> int:
    """Draw the baseline's text and return the position, from 0, of the chosen word: `first` until
    a visitor chooses one. Another text starts with its own choice."""
    chosen = _words(
        data={
            "name": f"Words of {sample.labels[0]}'s text. Arrow keys move, Enter shows the draw.",
            "place": first + 1,
            "lines": typeset_lines(sample),
        },
        default={"place": first + 1},
        on_place_change=lambda: None,
        key=f"words-{hash(sample.request)}",
    )
    return min(max(0, int(chosen.place or 1) - 1), len(sample.texts[0]) - 1)


def typeset_lines(sample: Sample) -> list[dict]:
    """Return the text line by line as words with a `place` from 1, a shade and a description. The
    words that the model read first have the place 0, and cannot be chosen."""
    given = len(sample.request.given())
    words = [*sample.request.given(), *sample.words(0)]
    typeset = []
    for level, pieces in whole_lines(words):
        shown = [
            _piece(sample, place - given, text or f" {shown_word(words[place])}")
            for place, text in pieces
            if text or place >= given  # a draw, too, even if typesetting leaves it out
        ]
        if shown:
            typeset.append({"heading": level > 0, "words": shown})
    return typeset


def _piece(sample: Sample, place: int, text: str) -> dict:
    if place < 0:
        return {"text": text, "place": 0}
    found = sample.divergences[place]
    nats = max(found.kl)
    shares = [
        f"{label} {share:.3%}"
        for label, share in zip(sample.labels, found.probabilities, strict=True)
    ]
    return {
        "text": text,
        "place": place + 1,
        "share": STRONGEST * (min(nats, MOST_NATS) / MOST_NATS) ** 0.5,
        "told": f"word {place + 1}, {', '.join(shares)}, {nats:.4f} nats apart",
    }
