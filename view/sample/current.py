"""What Sample shows below its controls: the texts, and how far their models differ."""

import streamlit as st

from view.sample import departures, texts
from view.sample.choose import Choice
from view.sample.texts import Sample
from view.sample.typeset import raw_tokens, typeset
from wlm.sampling.words import to_out_txt
from wlm.text.wikitext import detokenize


def show_current(choice: Choice) -> None:
    """Write, or show what was written, and compare its texts."""
    request, sample = choice.request, st.session_state.get("sample")
    if choice.pressed and request.variants:
        # Any press makes Streamlit end the script, and with it the drawing of words.
        choice.stop.button("Stop", icon=":material/stop:")
        slots = [column.empty() for column in st.columns(len(request.variants))]
        sample = texts.write(request, lambda each: show_texts(each, slots, raw=choice.raw))
        choice.stop.empty()
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
        show_texts(sample, st.columns(len(sample.texts)), raw=choice.raw)
    show_downloads(sample)
    if len(sample.texts) > 1:
        texts.finish(sample)
        departures.show_metrics(sample)
        departures.show_strip(sample)
        departures.show_words(sample)


def show_texts(sample: Sample, slots: list, *, raw: bool) -> None:
    """Show each text so far under its variant's label and speed, departures marked."""
    departures = [sample.departure(i) for i in range(len(sample.texts))]
    for i, slot in enumerate(slots):
        # In the baseline's text a mark stands wherever another one departs.
        places = departures if i == 0 else [departures[i]]
        marks = {place: ":material/call_split:" for place in places if place is not None}
        with slot.container(border=True):
            speed = f" :gray[{sample.words_per_second(i):,.0f} words per second]"
            st.markdown(f"**{sample.labels[i]}** ·{speed if sample.texts[i] else ''}")
            prompt = sample.request.settings.prompt
            words = [*prompt, *sample.words(i)]
            marks = {place + len(prompt): icon for place, icon in marks.items()}
            show = raw_tokens if raw else typeset
            st.markdown(show(words, marks, prompt=len(prompt)))


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
