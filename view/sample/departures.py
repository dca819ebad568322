"""How far variants differ along a text, and the draw at one of its places."""

import statistics

import streamlit as st

from view.sample import charts
from view.sample.texts import Sample
from view.shared.cards import card
from view.shared.digits import decimals
from view.shared.next_words import next_words
from view.shared.page import errors_shown, plain
from wlm.sampling.candidates import Candidate
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import readable

FIRST = 5  # words whose arrivals are shown
BEFORE = 8  # words that a draw is said to come after
HEIGHT = 720  # of the words, in pixels: a long text scrolls, and its draw stays beside it


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
    points = [
        {"place": n, "word": words[n - 1], "label": label, "kl": each.kl[i]}
        for n, each in enumerate(sample.divergences, start=1)
        for i, label in enumerate(labels)
        if i
    ]
    places = {label: sample.departure(i) for i, label in enumerate(labels)}
    marks = {label: place + 1 for label, place in places.items() if place is not None}
    st.markdown(f"**Divergence** along {labels[0]}'s text, word by word")
    chart = charts.divergence_strip(points, labels, marks)
    st.vega_lite_chart(chart, key="strip")


@st.fragment
def show_words(sample: Sample) -> None:
    """Show the baseline's text word by word, and beside it the draw at the word that is clicked; at
    first that where the first variant departs."""
    with errors_shown():
        labels, words = sample.labels, sample.words(0)
        rows = [
            {
                "place": n,
                "word": "¶" if words[n - 1] == EOS else words[n - 1],
                "kl": max(each.kl),
                "shares": [f"{share:.3%}" for share in each.probabilities],
            }
            for n, each in enumerate(sample.divergences, start=1)
        ]
        places = [p for i in range(1, len(labels)) if (p := sample.departure(i)) is not None]
        st.markdown(
            f"**Every word of {labels[0]}'s text**: point at one for its probability under each "
            "variant, click it for its draw."
        )
        # Each variant more has a column of numbers more.
        text, beside = st.columns([2, len(labels)], gap="medium")
        with text.container(height=HEIGHT, border=False):
            event = st.vega_lite_chart(
                charts.divergence_text(rows, labels),
                on_select="rerun",
                key=f"words-{hash(sample.request)}",  # another text, another choice
            )
        chosen = event.selection.get("place") or []
        place = int(chosen[0]["place"]) - 1 if chosen else min(places, default=0)
        place = min(max(0, place), len(words) - 1)
        with beside.container(border=True):
            show_draw(sample, place, departed=place in places)


def show_draw(sample: Sample, place: int, *, departed: bool) -> None:
    """Show the draw at one place: both distributions, the numbers drawn, and who arrives first."""
    labels = sample.labels
    found = sample.draw_at(place)
    written = [min(found, key=lambda each: each.arrivals[i]).word for i in range(len(labels))]
    read = [*sample.request.given(), *sample.words(0)[:place]]
    before = readable(read[-BEFORE:]).replace("\n\n", " ").strip()
    cut = "… " if len(read) > BEFORE else ""
    start = f"after “{cut}{plain(before)}”" if before else "at the beginning"
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
    rows = [
        {
            "word": _shown(each.word, markdown=False),
            "label": label,
            "probability": each.probabilities[i],
            "written": each.word == written[i],
        }
        for each in found
        for i, label in enumerate(labels)
    ]
    st.vega_lite_chart(next_words(rows, labels), key="next")
    st.markdown(
        "**Why this word?** Each word gets a random number, the same for all variants, and arrives "
        "after −ln(number) ÷ probability. The first to arrive is written, below in bold."
    )
    st.markdown(arrivals(found, labels))


def arrivals(found: list[Candidate], labels: list[str]) -> str:
    """Return a table in Markdown of the words that arrive first, what each variant writes in bold;
    all in as many digits as it takes to see who is before whom."""
    first = sorted(found, key=lambda each: min(each.arrivals))[:FIRST]
    by_variant = list(zip(*(each.arrivals for each in first), strict=True))
    digits = max(decimals(all, 2, 7) for all in [*by_variant, *(each.arrivals for each in first)])
    lines = [
        "| word | number | " + " | ".join(f":small[arrives, {label}]" for label in labels) + " |",
        "|---|" + "---:|" * (1 + len(labels)),
    ]
    for each in first:
        times = [
            f"**{time:.{digits}f}**" if time == min(all) else f"{time:.{digits}f}"
            for time, all in zip(each.arrivals, by_variant, strict=True)
        ]
        lines.append(f"| {_shown(each.word)} | {each.number:.6f} | {' | '.join(times)} |")
    return "\n".join(lines)


def _nats(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0005 or value == 0.0 else f"{value:.1e}"


def _shown(word: str, *, markdown: bool = True) -> str:
    if word == EOS:
        return "end of line"
    return plain(word) if markdown else word
