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


def chart_of_candidates(candidates: list[Candidate], labels: list[str]) -> Spec:
    """Return the chart of next words, with a mark on the word that each variant writes."""
    written = drawn(candidates)
    rows = [
        {
            "word": shown_word(candidate.word),
            "label": label,
            "probability": candidate.probabilities[i],
            "written": candidate.word == written[i],
        }
        for candidate in candidates
        for i, label in enumerate(labels)
    ]
    return next_words(rows, labels)


@built_once
def next_words(rows: list[dict], labels: list[str]) -> Spec:
    """Return a chart of next words' probabilities, one bar per label and word.

    The rows have `word`, `label`, `probability`, and `written`, which is true if this label writes
    this word.
    """
    shares: dict[str, list[float]] = {}
    for row in rows:
        shares.setdefault(row["word"], []).append(100 * row["probability"])
    order, digits = list(shares), {word: decimals(each, 1, 5) for word, each in shares.items()}
    told = [
        {
            **row,
            "text": f"{'▸ ' if row['written'] else ''}{row['probability']:.{digits[row['word']]}%}",
        }
        for row in rows
    ]
    top = max(row["probability"] for row in rows)
    base = alt.Chart({"values": told}).encode(
        x=alt.X(
            "probability:Q",
            title="probability (▸ marks the word written)",
            scale=alt.Scale(domain=[0, 1.4 * top], nice=False),
            axis=axis_within(0, top, format="~%"),
        ),
        y=alt.Y("word:N", sort=order, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
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
    height = 90 + 18 * len(labels) * len(order)
    about = f"Bars of how likely the next words are under {' and '.join(labels)}."
    return specification(alt.layer(bars, texts), height, about)
