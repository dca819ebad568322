"""The result of each step of the guided tour: live, and fewer and larger for a presenter."""

import streamlit as st

from view.how.choose import DEFAULT_PROMPT
from view.inspect.bytes import bytes_chart, parts_of, why_it_remains
from view.shared import server
from view.shared.cards import card
from view.shared.charts import draw_chart
from view.shared.flow import flow_of, show_flow
from view.shared.model_drawing import HEIGHT, ORDER, draw_model
from view.shared.page import plain
from view.tutorial.comparison import MODEL, measure
from view.tutorial.place import QUANTIZED, TODAY
from wlm.catalog.open import open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.quantization.variant import Variant
from wlm.sampling.words import SampleSettings, sample_words
from wlm.text.wikitext import readable, tokenize
from wlm.tutorial import PUBLISHED

FP32, INT8 = Variant.parse("fp32"), Variant.parse("int8")
WITH_EMBEDDING = Variant.parse("pytorch:lstm=int8,linear=int8,embedding=int8")
ONNX = Variant.parse("onnxruntime:lstm=int8,linear=int8,embedding=int8")
WORDS, TEMPERATURE = 60, 0.8
OPENING = "= The Old Bridge = <eos> <eos> The Old Bridge is a"  # like the opening of an article


def show_model(presenting: bool) -> None:
    """Show the model to scale, with parts in int8 after a click. Show a reader also how a word
    flows through it."""
    rounded = st.session_state.setdefault("tour-rounded", frozenset())
    variant = Variant(**{part: "int8" if part in rounded else "fp32" for part in ORDER})
    # Each size has its own key, so that no old height is kept.
    height = 260 if presenting else HEIGHT
    draw_model(MODEL, variant, f"tour-model-{presenting}", turn_part, height=height)
    if not presenting:
        st.caption("A square's area shows its bytes. Click a square to round its weights to int8.")
        words = tuple(tokenize(DEFAULT_PROMPT))
        st.markdown(f"The model reads “{DEFAULT_PROMPT}”. Follow the last word:")
        show_flow(flow_of(MODEL, variant, words), words[-1], variant.label)


def turn_part(part: str) -> None:
    """Round a part's weights, or undo the rounding."""
    st.session_state["tour-rounded"] ^= {part}


@st.cache_data(show_spinner="Reading the text …", max_entries=1)
def text_facts() -> tuple[int, int, str]:
    """Return the text's number of tokens, how many of them are unknown, and its beginning,
    typeset."""
    vocabulary = server.load_model(MODEL).vocabulary
    text = open_text(DEFAULT_TEXT, vocabulary)
    beginning = readable(vocabulary.decode(text.ids[:60]))
    return len(text.ids), text.unknown, beginning[: beginning.rfind(".") + 1] or beginning


def show_text(presenting: bool) -> None:
    """Show the text as the model receives it: words that it knows, and one number per word."""
    tokens, unknown, beginning = text_facts()
    words = len(server.load_model(MODEL).vocabulary)
    for column, heading, number in zip(
        st.columns(3),
        ("Words the model knows", "Words in the text", "Unknown words"),
        (words, tokens, unknown),
        strict=True,
    ):
        card(column, heading, f"{number:,}", large=presenting)
    show_passage(beginning, presenting)


def show_passage(text: str, presenting: bool) -> None:
    """Show a text in a frame; for a presenter, in the type of a subheader."""
    with st.container(border=True):
        for paragraph in filter(str.strip, text.split("\n")):
            words = plain(paragraph)
            st.subheader(words, anchor=False) if presenting else st.markdown(words)


@st.cache_data(show_spinner="Writing …", max_entries=16)
def sample(seed: int) -> str:
    """Return text that the fp32 model writes, typeset."""
    checkpoint = server.load_model(MODEL)
    prompt = tuple(OPENING.split())
    # A slide has room for one paragraph.
    only_words = {"allow_unk": False, "allow_eos": False}
    settings = SampleSettings(TEMPERATURE, prompt=prompt, seed=seed, **only_words)
    words = sample_words(checkpoint.model, checkpoint.vocabulary, settings, WORDS)
    return readable([*prompt, *(drawn.word for drawn in words)])


def show_sample(presenting: bool) -> None:
    """Show text that the model writes, and a button for another text."""
    seed = st.session_state.setdefault("tour-seed", 1)
    show_passage(sample(seed), presenting)
    if st.button("Another", icon=":material/casino:"):
        st.session_state["tour-seed"] = seed % 16 + 1
        st.rerun()


def show_quantized(presenting: bool) -> None:
    """Show fp32 next to int8: the recorded run until Run measures here."""
    measure(QUANTIZED, (FP32, INT8), presenting)
    if presenting:
        return
    theirs, ours = PUBLISHED["fp32"], PUBLISHED["int8"]
    st.caption(
        "The original tutorial published, for fp32 and int8 on a MacBook Pro with its own weights: "
        f"loss {theirs.loss} and {ours.loss}, {theirs.size_bytes / 1e6:.1f} and "
        f"{ours.size_bytes / 1e6:.1f} MB, {theirs.elapsed_s} and {ours.elapsed_s} s."
    )


def show_unreached(presenting: bool) -> None:
    """Show the bytes of each part in fp32, in int8, and with the embedding in int8 too."""
    variants = [FP32, INT8, WITH_EMBEDDING]
    chart = bytes_chart(MODEL, variants, large=presenting)
    # A slide has less room than a chart of three variants takes.
    chart = chart | {"height": 312, "padding": {"bottom": 0}} if presenting else chart
    draw_chart(chart, f"tour-bytes-{presenting}")
    if not presenting:
        sizes = {variant: parts_of(MODEL, variant) for variant in variants}
        st.markdown(why_it_remains(MODEL, sizes))


def show_today(presenting: bool) -> None:
    """Compare the tutorial's int8 with ONNX Runtime's."""
    measure(TODAY, (FP32, INT8, ONNX), presenting)
