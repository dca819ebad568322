"""What Sample shows below its controls: the texts, and how far their models differ."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from view.sample import departures, texts
from view.sample.texts import Request, Sample
from view.sample.typeset import raw_tokens, typeset
from wlm.sampling.words import to_out_txt
from wlm.text.wikitext import detokenize


def show_current(request: Request, raw: bool, pressed: bool, stop: DeltaGenerator) -> None:
    """Write, or show what was written, and compare its texts."""
    sample = st.session_state.get("sample")
    if pressed and request.variants:
        # Any press makes Streamlit end the script, and with it the drawing of words.
        stop.button("Stop", icon=":material/stop:")
        slots = [column.empty() for column in st.columns(len(request.variants))]
        sample = texts.write(request, lambda each: show_texts(each, slots, raw=raw))
        stop.empty()
    elif not request.variants:
        st.info("Choose at least one variant.", icon=":material/checklist:")
        return
    elif sample is None or not all(sample.texts):
        st.info("Press **Write** for a first text.", icon=":material/edit:")
        return
    else:
        if sample.request != request:
            st.caption(":material/info: The settings have changed: press Write again.")
        sample = texts.settled(sample)
        show_texts(sample, st.columns(len(sample.texts)), raw=raw)
    show_downloads(sample)
    if len(sample.texts) > 1:
        texts.finish(sample)
        departures.show_metrics(sample)
        departures.show_strip(sample)
        departures.show_words(sample)


def show_texts(sample: Sample, slots: list, *, raw: bool) -> None:
    """Show each text so far under its variant's label and speed, departures marked."""
    prompt = sample.request.settings.prompt
    parted = [sample.departure(i) for i in range(len(sample.texts))]
    for i, slot in enumerate(slots):
        # In the baseline's text a mark stands wherever another one departs.
        places = [place for place in (parted if i == 0 else [parted[i]]) if place is not None]
        marks = {place + len(prompt): ":material/call_split:" for place in places}
        with slot.container(border=True):
            speed = f" :gray[{sample.words_per_second(i):,.0f} words per second]"
            st.markdown(f"**{sample.labels[i]}** ·{speed if sample.texts[i] else ''}")
            write = raw_tokens if raw else typeset
            st.markdown(write([*prompt, *sample.words(i)], marks, prompt=len(prompt)))


def show_downloads(sample: Sample) -> None:
    """Draw what each text can be downloaded as."""
    for i, column in enumerate(st.columns(len(sample.texts))):
        words, prompt = sample.words(i), sample.request.settings.prompt
        with column, st.container(horizontal=True):
            for name, content, help in (
                ("out.txt", to_out_txt(words), "Raw tokens, 20 a line, as in the tutorial."),
                ("text.txt", detokenize([*prompt, *words]), "The text as people write it."),
            ):
                st.download_button(
                    name,
                    content,
                    file_name=name,
                    key=f"download-{name}-{i}",
                    icon=":material/download:",
                    on_click="ignore",
                    type="tertiary",
                    help=help,
                )
