"""The next words under several variants: the likeliest, the drawn, and their chart."""

from collections.abc import Iterable

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import SMALL_SIZE, Spec, axis_within, color_by_label, specification
from wlm.sampling.candidates import Candidate
from wlm.text.vocabulary import EOS


def shown_word(word: str) -> str:
    """Return a word as pages show it: the end-of-line token has a name."""
    return "end of line" if word == EOS else word


def decimals(values: Iterable[float], least: int, most: int) -> int:
    """Return how many decimals make all different values look different, from `least` to `most`."""
    different = set(values)
    for number in range(least, most):
        if len({f"{value:.{number}f}" for value in different}) == len(different):
            return number
    return most


def likeliest(candidates: list[Candidate]) -> list[str]:
    """Return each variant's likeliest word."""
    variants = range(len(candidates[0].probabilities))
    return [max(candidates, key=lambda word: word.probabilities[i]).word for i in variants]


def drawn(candidates: list[Candidate]) -> list[str]:
    """Return the word that each variant writes: the first to arrive."""
    variants = range(len(candidates[0].arrivals))
    return [min(candidates, key=lambda word: word.arrivals[i]).word for i in variants]


@built_once
def chart_of_candidates(candidates: list[Candidate], labels: list[str]) -> Spec:
    """Return a chart of next words' probabilities, one bar per label and word, with a mark on the
    word that each variant writes."""
    written, words = drawn(candidates), [shown_word(candidate.word) for candidate in candidates]
    rows = []
    for candidate, word in zip(candidates, words, strict=True):
        digits = decimals((100 * share for share in candidate.probabilities), 1, 5)
        for i, label in enumerate(labels):
            share = candidate.probabilities[i]
            mark = "▸ " if candidate.word == written[i] else ""
            text = f"{mark}{share:.{digits}%}"
            rows.append({"word": word, "label": label, "probability": share, "text": text})
    top = max(row["probability"] for row in rows)
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "probability:Q",
            title="probability (▸ marks the word written)",
            scale=alt.Scale(domain=[0, 1.4 * top], nice=False),
            axis=axis_within(0, top, format="~%"),
        ),
        y=alt.Y("word:N", sort=words, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
        yOffset=alt.YOffset("label:N", sort=labels),
        color=color_by_label(labels, alt.Legend(title=None, orient="top", columns=2)),
        tooltip=[
            alt.Tooltip("word:N"),
            alt.Tooltip("label:N"),
            alt.Tooltip("probability:Q", format=".3%"),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2)
    texts = base.mark_text(fontSize=SMALL_SIZE - 1, align="left", dx=5).encode(
        text=alt.Text("text:N")
    )
    height = 90 + 18 * len(labels) * len(words)
    about = f"Bars of how likely the next words are under {' and '.join(labels)}."
    return specification(alt.layer(bars, texts), height, about)
