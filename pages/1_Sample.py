"""Sample: text drawn from fp32 and from the chosen variant, side by side, with the same seed."""

import time
from dataclasses import dataclass, field

import streamlit as st

import ui
from wlm.corpus import detokenized
from wlm.sample import SampledWord, SampleSettings, first_difference, sample_words, to_out_txt
from wlm.variant import Variant

BASELINE = Variant()
SCREEN_UPDATE_SECONDS = 0.1  # words are drawn faster than a screen need show them


@dataclass
class Sample:
    """A text per variant, by its label, and what it was asked for with."""

    request: tuple
    texts: dict[str, list[SampledWord]] = field(default_factory=dict)


def main() -> None:
    ui.start_page("Sample")
    model = ui.choose_model()
    st.title("The same dice, two models")
    st.markdown(
        "Each word is drawn from the model's probabilities for the next word, then fed back in. "
        "Both models get the same random numbers, so they write the same text until quantization "
        "tips a draw."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = ui.choose_variant()
        temperature = st.slider(
            "Temperature",
            min_value=0.1,
            max_value=2.0,
            value=0.8,
            step=0.05,
            width=220,
            key="temperature",
            bind="query-params",
            help="Below 1 likely words become likelier; above 1 unlikely ones do.",
        )
        words = st.number_input(
            "Words", 10, 1000, 150, step=10, width=140, key="words", bind="query-params"
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 1, width=140, key="seed", bind="query-params")
        write_pressed = st.button("Write", type="primary", icon=":material/edit:")
        stop = st.empty()
    variants = list(dict.fromkeys([BASELINE, variant]))
    request = (model, variants, SampleSettings(temperature=temperature, seed=seed), words)
    with ui.errors_shown():
        if write_pressed:
            # Any press makes Streamlit end the script, and with it the drawing of words.
            stop.button("Stop", icon=":material/stop:")
            write(request)
            stop.empty()
        elif sample := st.session_state.get("sample"):
            if sample.request != request:
                st.caption(":material/info: The settings have changed: press Write again.")
            show_end(sample.texts, st.columns(len(sample.texts)))
        else:
            st.info("Press **Write** for a first text.", icon=":material/edit:")


def write(request: tuple) -> None:
    """Draw all variants' texts, a word of each in turn, and show them as they grow."""
    model, variants, settings, words = request
    vocabulary = ui.load_model(model).vocabulary
    streams = {
        variant.label: sample_words(ui.load_variant(model, variant), vocabulary, settings, words)
        for variant in variants
    }
    # In the session from the first word on, so that a stopped text stays.
    sample = Sample(request, {label: [] for label in streams})
    st.session_state["sample"] = sample
    columns = st.columns(len(streams))
    slots = [column.empty() for column in columns]
    shown = 0.0
    for _ in range(words):
        for label, stream in streams.items():
            sample.texts[label].append(next(stream))
        if time.monotonic() - shown > SCREEN_UPDATE_SECONDS:
            show_texts(sample.texts, slots)
            shown = time.monotonic()
    show_end(sample.texts, slots)


def show_end(texts: dict[str, list[SampledWord]], slots: list) -> None:
    """Show finished texts, with their downloads and where they part."""
    show_texts(texts, slots)
    for (label, text), column in zip(texts.items(), st.columns(len(texts)), strict=True):
        column.download_button(
            "out.txt",
            to_out_txt([each.word for each in text]),
            file_name="out.txt",
            key=f"download-{label}",
            icon=":material/download:",
            on_click="ignore",
        )
    if len(texts) == 2:
        place = parting(texts)
        length = min(map(len, texts.values()))
        st.caption(
            f"All {length} words are the same."
            if place is None
            else f"The first {place} words are the same; the first that differs is marked."
        )


def show_texts(texts: dict[str, list[SampledWord]], slots: list) -> None:
    """Show each text so far under its variant's label and speed."""
    place = parting(texts) if len(texts) == 2 else None
    for (label, text), slot in zip(texts.items(), slots, strict=True):
        with slot.container(border=True):
            seconds = sum(each.seconds for each in text)
            speed = f"{len(text) / seconds:,.0f} words per second" if text else ""
            st.markdown(f"**{label}** · :gray[{speed}]")
            pieces = [ui.plain(piece) for piece in detokenized([each.word for each in text])]
            if place is not None and place < len(pieces):
                word = pieces[place].strip() or "end of line"
                pieces[place] = f" :orange-background[{word}]"
            st.markdown("".join(pieces))


def parting(texts: dict[str, list[SampledWord]]) -> int | None:
    """Return the place of the first word in which two texts differ."""
    return first_difference(*([each.word for each in text] for text in texts.values()))


main()
