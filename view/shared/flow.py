"""A word that travels through the model: its stops, what each part hands on, and the next words."""

from collections.abc import Sequence
from pathlib import Path

import altair as alt
import streamlit as st

from view.shared import server
from view.shared.chart_cache import built_once
from view.shared.charts import (
    INK,
    LABEL_SIZE,
    Spec,
    color_by_label,
    color_by_sign,
    specification,
)
from view.shared.next_words import shown_word
from view.shared.page import plain
from wlm.explaining.reading import Flow, flow
from wlm.quantization.variant import Variant

MOST_VALUES = 512  # the most values of a part that are drawn as cells
FOLDER = Path(__file__).parent

_travel = st.components.v2.component(
    "wlm.travel",
    js=(FOLDER / "travel.js").read_text("utf-8"),
    css=(FOLDER / "travel.css").read_text("utf-8"),
)


@st.cache_resource(show_spinner="Reading …", max_entries=32)
def flow_of(model: str, variant: Variant, words: tuple[str, ...]) -> Flow:
    """Return how the last of the given words flows through a variant."""
    vocabulary = server.load_model(model).vocabulary
    return flow(server.load_variant(model, variant), vocabulary, words)


def show_flow(found: Flow, word: str, label: str, sent: int = 0) -> None:
    """Show the word that was sent on its way from part to part, the values that each part hands on,
    and the likeliest next words in the color of the variant with this label. If the word is
    unknown, name it. The word travels again if `sent` changes."""
    name = f"**{plain(shown_word(word))}**"
    if found.word != word:
        name += (
            f" is an unknown word. The model reads it as **{plain(shown_word(found.word))}**, which"
        )
    st.markdown(f"{name} goes in as a number, its place in the vocabulary: **{found.id:,}**.")
    _travel(
        data={
            "name": f"The way of {shown_word(word)} through the model",
            "word": shown_word(found.word),
            "sent": sent,
            "stops": stops(found),
        },
        key="travel",
    )
    values, following = st.columns([2, 1])
    with values:
        st.markdown("**What each part hands on**: one cell per value")
        st.vega_lite_chart(strips(found), key="living-strips")
    with following:
        st.markdown("**Likely next words**")
        st.vega_lite_chart(likely(found.next_words, label), key="living-next")


def stops(found: Flow) -> list[dict[str, str]]:
    """Return the stops of a word on its way, and what each stop hands on."""
    embedding, *layers = found.values.values()
    next_word, share = found.next_words[0]
    of_layers = f"{len(layers)} layers, " if len(layers) > 1 else ""
    return [
        {"stop": "Vocabulary", "hands": f"number {found.id:,}"},
        {"stop": "Embedding", "hands": f"{len(embedding)} values"},
        {"stop": "LSTM", "hands": f"{of_layers}{len(layers[-1])} values"},
        {"stop": "Linear", "hands": "a probability for each word"},
        {"stop": "Next word", "hands": f"{shown_word(next_word)} ({share:.1%})"},
    ]


@built_once
def strips(found: Flow) -> Spec:
    """Return one strip of cells per part for its output values. Values above 0 are blue, values
    below 0 the other color; a larger value within its strip has a stronger color."""
    rows = []
    for part, values in found.values.items():
        shown = values[:MOST_VALUES]
        most = max(map(abs, shown)) or 1.0
        rows += [
            {
                "part": part,
                "start": i / len(shown),
                "end": (i + 1) / len(shown),
                "place": i,
                "value": round(value, 5),
                "strength": abs(value) / most,
                "sign": "below 0" if value < 0 else "above 0",
            }
            for i, value in enumerate(shown)
        ]
    chart = (
        alt.Chart({"values": rows})
        .mark_rect()
        .encode(
            x=alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
            x2=alt.X2("end:Q"),
            y=alt.Y(
                "part:N",
                sort=list(found.values),
                title=None,
                axis=alt.Axis(ticks=False, domain=False),
                scale=alt.Scale(padding=0.2),
            ),
            color=color_by_sign(),
            fillOpacity=alt.FillOpacity("strength:Q", scale=None, legend=None),
            tooltip=[*map(alt.Tooltip, ("part:N", "place:Q", "value:Q"))],
        )
    )
    about = f"The values that {', '.join(found.values)} hand on for one word, a cell per value."
    return specification(alt.layer(chart), 34 * len(found.values) + 50, about)


@built_once
def likely(words: Sequence[tuple[str, float]], label: str) -> Spec:
    """Return the likeliest next words as bars with their probabilities, likeliest first, in the
    color of the variant with this label."""
    rows = [{"word": word, "probability": share, "label": label} for word, share in words]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "probability:Q",
            axis=None,
            scale=alt.Scale(domain=[0, 1.5 * max(share for _, share in words)], nice=False),
        ),
        y=alt.Y("word:N", sort=None, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
        tooltip=[alt.Tooltip("word:N"), alt.Tooltip("probability:Q", format=".3%")],
    )
    shares = base.mark_text(fontSize=LABEL_SIZE, align="left", dx=6, color=INK)
    chart = alt.layer(
        base.mark_bar(cornerRadiusEnd=3).encode(color=color_by_label([label])),
        shares.encode(text=alt.Text("probability:Q", format=".1%")),
    )
    about = f"Bars of the likeliest next words: {', '.join(word for word, _ in words)}."
    return specification(chart, 38 * len(rows), about)
