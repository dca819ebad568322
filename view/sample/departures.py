"""How far variants differ along a text, and the draw at one of its places."""

import statistics

import pandas as pd
import streamlit as st

from view.sample import charts
from view.sample.texts import Sample
from view.shared.cards import card
from view.shared.charts import ink
from view.shared.page import errors_shown, plain
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import detokenize

FIRST = 5  # words whose arrivals are shown


def show_metrics(sample: Sample) -> None:
    """Show for each variant where it departs from the baseline, how far, and how fast it is."""
    baseline, *others = sample.labels
    for i, label in enumerate(others, start=1):
        kl = [each.kl[i] for each in sample.divergences]
        worst = max(range(len(kl)), key=kl.__getitem__)
        place = sample.departure(i)
        speed, base_speed = sample.words_per_second(i), sample.words_per_second(0)
        if len(others) > 1:
            st.markdown(f"**{label}** beside {baseline}")
        with st.container(horizontal=True):
            card(
                st,
                "Departs at",
                "nowhere" if place is None else f"word {place + 1}",
                f"of {len(sample.texts[i]):,}",
                help=f"The first word that is not the one {baseline} wrote.",
            )
            card(
                st,
                "Mean divergence, nats",
                _nats(statistics.mean(kl)),
                "per word",
                help=f"KL divergence from {baseline}'s probabilities for the next word, both "
                f"reading {baseline}'s text: at the chosen temperature, before top-k and top-p.",
            )
            card(st, "Highest divergence, nats", _nats(kl[worst]), f"at word {worst + 1}")
            card(
                st,
                "Words per second",
                f"{speed:,.0f}",
                f"{speed / base_speed:.1f} times {baseline}'s {base_speed:,.0f}",
                help="Model and draw, in this server while it serves others too: for a fair "
                "measurement see Compare.",
            )


def show_strip(sample: Sample) -> None:
    """Show the divergence along the baseline's text as one strip."""
    labels, words = sample.labels, sample.words(0)
    points = pd.DataFrame(
        [
            {"place": n, "word": words[n - 1], "label": label, "kl": each.kl[i]}
            for n, each in enumerate(sample.divergences, start=1)
            for i, label in enumerate(labels)
            if i
        ]
    )
    places = {label: sample.departure(i) for i, label in enumerate(labels)}
    marks = {label: place + 1 for label, place in places.items() if place is not None}
    st.markdown(f"**Divergence** along {labels[0]}'s text, word by word")
    chart = charts.divergence_strip(points, labels, marks, ink=ink())
    st.altair_chart(chart, key="strip")


@st.fragment
def show_words(sample: Sample) -> None:
    """Show the baseline's text word by word, and the draw at the word that is clicked; at first
    that where the first variant departs."""
    with errors_shown():
        labels, words = sample.labels, sample.words(0)
        rows = pd.DataFrame(
            [
                {
                    "place": n,
                    "word": "¶" if words[n - 1] == EOS else words[n - 1],
                    "kl": max(each.kl),
                    **{label: f"{each.probabilities[i]:.3%}" for i, label in enumerate(labels)},
                }
                for n, each in enumerate(sample.divergences, start=1)
            ]
        )
        places = [p for i in range(1, len(labels)) if (p := sample.departure(i)) is not None]
        shown = st.container()
        st.markdown(
            f"**Every word of {labels[0]}'s text**: point at one for its probability under each "
            "variant, click it for the draw. The more orange, the further the variants differ."
        )
        event = st.altair_chart(
            charts.divergence_text(rows, labels, ink=ink()),
            on_select="rerun",
            key=f"words-{hash(sample.request)}",  # another text, another choice
        )
        chosen = event.selection.get("place") or []
        place = int(chosen[0]["place"]) - 1 if chosen else min(places, default=0)
        with shown:
            show_draw(sample, min(max(0, place), len(words) - 1), departed=place in places)


def show_draw(sample: Sample, place: int, *, departed: bool) -> None:
    """Show the draw at one place: both distributions, the numbers drawn, and who arrives first."""
    labels = sample.labels
    found = sample.draw_at(place)
    written = [min(found, key=lambda each: each.arrivals[i]).word for i in range(len(labels))]
    before = detokenize(sample.words(0)[max(0, place - 8) : place]).replace("\n", " ").strip()
    start = f"after “{plain(before)}”" if before else "at the beginning"
    icon = ":material/call_split:" if departed else ":material/casino:"
    st.subheader(f"{icon} Word {place + 1}, {start}", anchor=False)
    kl = sample.divergences[place].kl
    st.markdown(
        " · ".join(
            f"{label} writes **{_shown(word)}**"
            for label, word in zip(labels, written, strict=True)
        )
        + " · divergence "
        + ", ".join(f"**{_nats(each)}** nats" for each in kl[1:])
    )
    chart, numbers = st.columns([3, 2])
    rows = pd.DataFrame(
        [
            {
                "word": _shown(each.word, markdown=False),
                "label": label,
                "probability": each.probabilities[i],
                "written": each.word == written[i],
            }
            for each in found
            for i, label in enumerate(labels)
        ]
    )
    chart.altair_chart(charts.next_words(rows, labels, ink=ink()), key="next")
    with numbers:
        st.markdown(
            "**Why this word?** Each word gets a random number, the same for all variants, and "
            "arrives after −ln(number) ÷ probability. The first to arrive is written."
        )
        first = sorted(found, key=lambda each: min(each.arrivals))[:FIRST]
        column = st.column_config.NumberColumn
        st.dataframe(
            [
                {
                    "word": _shown(each.word, markdown=False),
                    "number": each.number,
                    **dict(zip(labels, each.arrivals, strict=True)),
                }
                for each in first
            ],
            hide_index=True,
            column_config={
                "number": column("number", format="%.4f", width=70),
                **{label: column(f"{label} at", format="%.3f", width=110) for label in labels},
            },
        )
        st.caption("The first to arrive of the words beside.")


def _nats(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0005 or value == 0.0 else f"{value:.1e}"


def _shown(word: str, *, markdown: bool = True) -> str:
    if word == EOS:
        return "end of line"
    return plain(word) if markdown else word
