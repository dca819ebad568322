"""Step 4: what int8 does to the next word."""

import streamlit as st

from view.how.asked import Asked
from view.how.numbers import FP32, variant_of
from view.shared.next_words import next_words
from view.shared.page import plain
from wlm.sampling.candidates import Candidate
from wlm.text.vocabulary import EOS


def show_following(asked: Asked) -> None:
    """Show the likeliest next words under fp32 and int8, and what each draws."""
    found, labels = asked.next_words(), [FP32.label, variant_of(asked.by_row).label]
    likeliest, drawn = ranked(found), written(found)
    st.subheader("4. What it does to the next word", anchor="next")
    same = (
        "the same word is the likeliest"
        if likeliest[0] == likeliest[1]
        else (f"the likeliest word turns from {_bold(likeliest[0])} to {_bold(likeliest[1])}")
    )
    draws = (
        f"both write {_bold(drawn[0])}"
        if drawn[0] == drawn[1]
        else f"fp32 writes {_bold(drawn[0])}, int8 {_bold(drawn[1])}"
    )
    most = max(abs(a - b) for a, b in (each.probabilities for each in found))
    st.markdown(
        f"After **{plain(asked.word)}** {same}; no probability moves by more than {most:.2%}. "
        f"With the same random numbers {draws}."
    )
    st.vega_lite_chart(next_words(rows_of(found, labels), labels), key="how-next")


def rows_of(found: list[Candidate], labels: list[str]) -> list[dict]:
    """Return next words as their chart has them."""
    drawn = written(found)
    return [
        {
            "word": shown(each.word),
            "label": label,
            "probability": each.probabilities[i],
            "written": each.word == drawn[i],
        }
        for each in found
        for i, label in enumerate(labels)
    ]


def written(found: list[Candidate]) -> list[str]:
    """Return the word that each model writes: the first to arrive."""
    models = range(len(found[0].arrivals))
    return [min(found, key=lambda each: each.arrivals[i]).word for i in models]


def ranked(found: list[Candidate]) -> list[str]:
    """Return the word that each model finds likeliest."""
    models = range(len(found[0].probabilities))
    return [max(found, key=lambda each: each.probabilities[i]).word for i in models]


def shown(word: str) -> str:
    """Return a word as it is written in a chart."""
    return "end of line" if word == EOS else word


def _bold(word: str) -> str:
    return f"**{plain(shown(word))}**"
