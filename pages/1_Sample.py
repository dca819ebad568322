"""Sample: text from several variants side by side, with the same random numbers."""

import streamlit as st

from view.sample import blind_test, departures, temperature
from view.sample import prompt as prompts
from view.sample import texts as samples
from view.sample.texts import Request
from view.shared import choices
from view.shared import page as ui
from wlm.quantization.variant import Variant
from wlm.sampling.words import SampleSettings
from wlm.text.wikitext import tokenize


def main() -> None:
    ui.start_page("Sample")
    choices.write_variants_as(lambda variant: variant.label, "variants")
    model = choices.choose_model()
    st.title("The same dice, two models")
    st.markdown(
        "Each word is drawn from a model's probabilities for the next word, then fed back in. All "
        "models get the same random numbers: they write the same text until quantization tips a "
        "draw."
    )
    offered = {each.label: each for each in choices.offered_variants()}
    labels = st.multiselect(
        "Variants",
        list(offered),
        default=[Variant().label, Variant(lstm="int8", linear="int8").label],
        max_selections=4,
        key="variants",
        bind="query-params",
        help="Two to four side by side. All are compared with the one that stands first.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prompt = st.text_input(
            "Prompt",
            placeholder="None: a random start",
            max_chars=300,
            width=270,
            key="prompt",
            bind="query-params",
        )
        heat = st.slider(
            "Temperature",
            min_value=0.1,
            max_value=2.0,
            value=0.8,
            step=0.05,
            width=170,
            key="temperature",
            bind="query-params",
            help="Below 1 likely words become likelier; above 1 unlikely ones do.",
        )
        with st.popover("More", icon=":material/tune:"):
            more = choose_more()
        pressed = st.button("Write", type="primary", icon=":material/edit:")
        pressed |= st.button("Next seed", icon=":material/casino:", on_click=next_seed)
        stop = st.empty()
    words, raw = more.pop("words"), more.pop("raw")
    tokens = tuple(tokenize(prompt)) if prompt.strip() else ()
    with ui.errors_shown():
        prompts.offer_near_words(model, tokens)
        # In the order in which they are offered, so that fp32, where chosen, is the baseline.
        variants = tuple(each for label, each in offered.items() if label in labels)
        settings = SampleSettings(temperature=heat, prompt=tokens, draw="race", **more)
        request = Request(model, variants, settings, words)
        show_sample(request, pressed, stop, raw=raw)
        show_more_to_do(request)


def choose_more() -> dict:
    """Draw the settings that a first text does without."""
    url = {"bind": "query-params"}
    return {
        "words": st.number_input("Words, at most", 10, 1000, 150, step=10, key="words", **url),
        "seed": st.number_input("Seed", 0, 2**31 - 1, 1, key="seed", **url),
        "top_k": st.number_input(
            "Top-k", 0, 1000, 0, key="k", help="Only the k likeliest words; 0 for all.", **url
        ),
        "top_p": st.slider(
            "Top-p", 0.05, 1.0, 1.0, 0.05, key="p", help="Only the likeliest that sum to p.", **url
        ),
        "allow_unk": not st.toggle("Never write `<unk>`", key="known", **url),
        "stop_at_article": st.toggle("Stop at the end of an article", key="article", **url),
        "raw": st.toggle("Show raw tokens", key="raw", **url),
    }


def next_seed() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % 2**31


def show_sample(request: Request, pressed: bool, stop, *, raw: bool) -> None:
    """Write, or show what was written, and compare its texts."""
    sample = st.session_state.get("sample")
    if pressed and request.variants:
        # Any press makes Streamlit end the script, and with it the drawing of words.
        stop.button("Stop", icon=":material/stop:")
        slots = [column.empty() for column in st.columns(len(request.variants))]
        sample = samples.write(request, lambda each: samples.show_texts(each, slots, raw=raw))
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
        sample = samples.settled(sample)
        samples.show_texts(sample, st.columns(len(sample.texts)), raw=raw)
    samples.show_downloads(sample)
    if len(sample.texts) > 1:
        samples.finish(sample)
        departures.show_metrics(sample)
        departures.show_strip(sample)
        departures.show_words(sample)


def show_more_to_do(request: Request) -> None:
    """Draw what explains the temperature, and the blind test."""
    st.divider()
    heat, blind = st.tabs(["Temperature", "Blind test"], key="more", bind="query-params")
    if heat.open:
        with heat, ui.errors_shown():
            sample = st.session_state.get("sample")
            if sample is not None and sample.request.model == request.model and all(sample.texts):
                ids, settings = sample.before_first_departure(), sample.request.settings
            else:
                ids, settings = (), temperature.example(request.model, request.settings)
            temperature.show(request.model, settings, ids)
    elif blind.open:
        with blind:
            blind_test.show(request.model, request.settings)


main()
