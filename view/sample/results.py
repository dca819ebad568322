"""The results of Sample: the texts, and how far their models differ."""

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from view.sample import departures, texts
from view.sample.texts import Request, Sample
from view.sample.typeset import raw_tokens, typeset
from view.shared.choices import shown_name
from view.shared.page import plain
from wlm.catalog.registry import MODEL
from wlm.sampling.words import to_out_txt
from wlm.text.wikitext import readable


def show_results(request: Request, raw: bool, pressed: bool, stop: DeltaGenerator) -> None:
    """Show the texts, or write them first, and compare them. A new visitor gets a first text."""
    if not request.variants:
        st.info("Choose at least one variant.", icon=":material/checklist:")
        return
    sample = st.session_state.get("sample")
    if sample is None and (sample := texts.kept_samples().find(request)):
        st.session_state["sample"] = sample
    if pressed or sample is None:
        # Any press makes Streamlit end the script, which writes the words.
        stop.button("Stop", icon=":material/stop:")
        show_key(request)
        slots = [column.empty() for column in st.columns(len(request.variants))]
        sample = texts.write(request, lambda growing: show_texts(growing, slots, raw=raw))
        stop.empty()
    elif all(sample.texts):
        if sample.request != request:
            show_other_choice(sample.request, request)
        sample = texts.settled(sample)
        show_key(sample.request)
        show_texts(sample, st.columns(len(sample.texts)), raw=raw)
    if not all(sample.texts):
        st.info("There is no text yet. Press **Write** or **Next seed**.", icon=":material/edit:")
        return
    show_downloads(sample)
    if len(sample.texts) > 1:
        texts.finish(sample)
        departures.show_metrics(sample)
        departures.show_strips(sample)
        departures.show_words(sample)


def show_other_choice(written: Request, chosen: Request) -> None:
    """Show that the settings changed, and the texts' model if it is another one."""
    model = written.model if written.model != chosen.model else ""
    by = f" These texts are by model {plain(shown_name(MODEL, model))}." if model else ""
    st.markdown(
        f":orange-badge[:material/sync_problem: Settings changed.]{by} Press **Write** to update."
    )


def show_key(request: Request) -> None:
    """Explain the gray words and the mark in the texts."""
    several = len(request.variants) > 1
    mark = " :material/call_split: marks the first difference." if several else ""
    st.caption(f"The gray words are the opening.{mark}")


def show_texts(sample: Sample, slots: list, *, raw: bool) -> None:
    """Show each text so far under its variant's label and speed, with first differences marked."""
    given = sample.request.given()
    parted = [sample.departure(i) for i in range(len(sample.texts))]
    for i, slot in enumerate(slots):
        # The baseline's text has a mark for each other text.
        places = [place for place in (parted if i == 0 else [parted[i]]) if place is not None]
        marks = {place + len(given): ":material/call_split:" for place in places}
        with slot.container(border=True):
            speed = f" :gray[{sample.words_per_second(i):,.0f} words per second]"
            st.markdown(f"**{sample.labels[i]}** ·{speed if sample.texts[i] else ''}")
            write = raw_tokens if raw else typeset
            st.markdown(write([*given, *sample.words(i)], marks, prompt=len(given)))


def show_downloads(sample: Sample) -> None:
    """Draw the download buttons of each text."""
    given = sample.request.given()
    for i, column in enumerate(st.columns(len(sample.texts))):
        words = sample.words(i)
        with column, st.container(horizontal=True):
            for name, write, help in (
                (
                    "out.txt",
                    partial(to_out_txt, words),
                    "Raw tokens, 20 per line, as in the tutorial.",
                ),
                (
                    "text.txt",
                    partial(readable, [*given, *words]),
                    "The text with normal spacing and headings.",
                ),
            ):
                st.download_button(
                    name,
                    write,
                    file_name=name,
                    key=f"download-{name}-{i}",
                    icon=":material/download:",
                    on_click="ignore",
                    type="tertiary",
                    help=help,
                )
