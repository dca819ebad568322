"""How far variants differ along a text, and the draw at one of its places."""

import statistics

import streamlit as st

from view.sample import charts
from view.sample.texts import Sample
from view.sample.word_strip import MOST_NATS, choose_word
from view.shared.cards import card
from view.shared.next_words import chart_of_candidates, decimals, drawn, shown_word
from view.shared.page import errors_shown, plain
from wlm.sampling.candidates import Candidate
from wlm.text.wikitext import readable

FIRST = 5  # words in the table of arrivals
BEFORE = 8  # words before a draw, in its heading


def show_metrics(sample: Sample) -> None:
    """Show each variant's first difference, divergence and speed."""
    baseline, *others = sample.labels
    for i, label in enumerate(others, start=1):
        kl = [found.kl[i] for found in sample.divergences]
        worst = max(range(len(kl)), key=kl.__getitem__)
        place = sample.departure(i)
        speed, base_speed = sample.words_per_second(i), sample.words_per_second(0)
        if len(others) > 1:
            st.markdown(f"**{label}** against {baseline}")
        with st.container(horizontal=True):
            card(
                st,
                "First difference",
                "none" if place is None else f"word {place + 1}",
                f"of {len(sample.texts[i]):,}",
                help=f"The first word that differs from {baseline}'s text.",
            )
            card(
                st,
                "Mean divergence, nats",
                _nats(statistics.mean(kl)),
                "per word",
                help=f"KL divergence from {baseline}'s probabilities for the next word. Both read "
                f"{baseline}'s text, at the chosen temperature, before top-k and top-p.",
            )
            card(st, "Highest divergence, nats", _nats(kl[worst]), f"at word {worst + 1}")
            card(
                st,
                "Words per second",
                f"{speed:,.0f}",
                f"{speed / base_speed:.1f} times {baseline}'s {base_speed:,.0f}",
                help="Time of the model and the draw on this server, which also serves other "
                "visitors. For a fair measurement, use Compare.",
            )


def show_strips(sample: Sample) -> None:
    """Show the divergence along the baseline's text, one chart per variant on the same scale."""
    baseline, *others = sample.labels
    words = sample.words(0)
    top = max(MOST_NATS, *(nats for found in sample.divergences for nats in found.kl))
    st.markdown(f"**Divergence** from {baseline} along {baseline}'s text, word by word")
    for i, label in enumerate(others, start=1):
        nats = [found.kl[i] for found in sample.divergences]
        if len(others) > 1:
            st.markdown(label)
        chart = charts.divergence_strip(words, nats, label, top, sample.departure(i))
        st.vega_lite_chart(chart, key=f"strip-{i}")


@st.fragment
def show_words(sample: Sample) -> None:
    """Show the baseline's text as words to choose from, and the draw of the chosen word: at first
    the first difference."""
    with errors_shown():
        labels = sample.labels
        places = sample.departures()
        st.header(f"Every word of {labels[0]}'s text", anchor=False)
        st.markdown(
            "Choose a word to see how it was drawn. The stronger the orange, the more the variants "
            "differ. Half a nat or more is full orange."
        )
        place = choose_word(sample, min(places, default=0))
        with st.container(border=True):
            show_draw(sample, place, departed=place in places)


def show_draw(sample: Sample, place: int, *, departed: bool) -> None:
    """Show the draw at one place: the distributions, the random numbers, and which word arrives
    first."""
    labels = sample.labels
    found = sample.draw_at(place)
    read = [*sample.request.given(), *sample.words(0)[:place]]
    before = readable(read[-BEFORE:]).replace("\n\n", " ").strip()
    cut = "… " if len(read) > BEFORE else ""
    start = f"after “{cut}{plain(before)}”" if before else "at the beginning"
    icon = ":material/call_split:" if departed else ":material/casino:"
    st.header(f"{icon} Word {place + 1}, {start}", anchor=False)
    kl = sample.divergences[place].kl
    st.markdown(
        " · ".join(
            f"{label} writes **{plain(shown_word(word))}**"
            for label, word in zip(labels, drawn(found), strict=True)
        )
        + " · divergence "
        + ", ".join(f"**{_nats(nats)}** nats" for nats in kl[1:])
    )
    table, chart = st.columns(2)
    with chart:
        st.vega_lite_chart(chart_of_candidates(found, labels), key="next")
    with table:
        st.markdown(
            "**Why this word?** Each word gets a random number, the same for all variants, and "
            "arrives after −ln(number) ÷ probability. The variant writes the first word to arrive, "
            "in bold."
        )
        st.markdown(arrivals(found, labels))


def arrivals(found: list[Candidate], labels: list[str]) -> str:
    """Return a Markdown table of the words that arrive first, with each variant's word in bold and
    enough digits to see which word comes first."""
    first = sorted(found, key=lambda candidate: min(candidate.arrivals))[:FIRST]
    by_variant = list(zip(*(candidate.arrivals for candidate in first), strict=True))
    columns = [*by_variant, *(candidate.arrivals for candidate in first)]
    digits = max(decimals(times, 2, 7) for times in columns)
    lines = [
        "| word | number | " + " | ".join(f":small[arrives, {label}]" for label in labels) + " |",
        "|---|" + "---:|" * (1 + len(labels)),
    ]
    for candidate in first:
        times = [
            f"**{time:.{digits}f}**" if time == min(times) else f"{time:.{digits}f}"
            for time, times in zip(candidate.arrivals, by_variant, strict=True)
        ]
        word = plain(shown_word(candidate.word))
        lines.append(f"| {word} | {candidate.number:.6f} | {' | '.join(times)} |")
    return "\n".join(lines)


def _nats(value: float) -> str:
    if value >= 0.0005 or value == 0.0:
        return f"{value:.4f}"
    return f"{value:.6f}" if value >= 0.000005 else f"{value:.0e}"
