"""The six steps of the guided tour: what each says, the live result it shows, and its code."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from view import page_runs, results, ui
from view.inspection import parts_of, show_bytes_chart, why_it_remains
from view.model_diagram import outline
from wlm.assets import DEFAULT_MODEL, DEFAULT_TEXT, list_texts
from wlm.comparison import DEFAULT_TARGET, CompareSpec
from wlm.corpus import read_text
from wlm.inspect_model import EMBEDDING
from wlm.prepare import why_unavailable
from wlm.recordings import recording
from wlm.report import sentence
from wlm.sample import SampleSettings, sample_words
from wlm.script import code_for
from wlm.tutorial import PUBLISHED
from wlm.variant import Variant
from wlm.wikitext import detokenize

MODEL = DEFAULT_MODEL
FP32, INT8 = Variant.parse("fp32"), Variant.parse("int8")
WITH_EMBEDDING = Variant.parse("pytorch:lstm=int8,linear=int8,embedding=int8")
ONNX = Variant.parse("onnxruntime:lstm=int8,linear=int8,embedding=int8")
SECONDS = 6.0
WORDS, TEMPERATURE = 60, 0.8
FOLDER = f"assets/models/{MODEL}"


@dataclass(frozen=True)
class Step:
    """One screen: a title, two or three sentences, what shows its result, and its code.

    `show` is told whether somebody presents: then all of it must fit on the screen.
    """

    title: str
    sentences: Callable[[], str]
    show: Callable[[bool], None]
    code: str


def about_the_model() -> str:
    """Say what the model is made of."""
    config = ui.load_model(MODEL).model.config
    return (
        f"Words go in as numbers. An embedding turns each into {config.ninp} values, "
        f"{config.nlayers} LSTM layers read them in order and remember, and a Linear decoder "
        "scores every word that could come next."
    )


def show_model(presenting: bool) -> None:
    """Show the model as a diagram, with the megabytes of each part."""
    sizes = {part: size / 1e6 for part, size in parts_of(MODEL, FP32).items()}
    figure = outline(ui.load_model(MODEL).model.config, sizes)
    if presenting:
        st.graphviz_chart(figure, width="stretch", height=400)
    else:
        st.graphviz_chart(figure)


@st.cache_data(show_spinner="Reading the text …", max_entries=1)
def text_facts() -> tuple[int, int, str]:
    """Return the text's tokens, how many of them are unknown, and its beginning, typeset."""
    vocabulary = ui.load_model(MODEL).vocabulary
    text = read_text(list_texts()[DEFAULT_TEXT], vocabulary)
    return len(text.ids), text.unknown, detokenize(vocabulary.decode(text.ids[:60]))


def show_text(presenting: bool) -> None:
    """Show the text as the model meets it: words it knows, and a number for each."""
    tokens, unknown, beginning = text_facts()
    known, read, strange = st.columns(3)
    known.metric("Words the model knows", f"{len(ui.load_model(MODEL).vocabulary):,}", border=True)
    read.metric("Words of the text", f"{tokens:,}", border=True)
    strange.metric("Of them unknown", f"{unknown:,}", border=True)
    with st.container(border=True):
        write(ui.plain(beginning), presenting)


def write(text: str, presenting: bool) -> None:
    """Write Markdown, in large type for the last row where somebody presents."""
    if presenting:
        st.header(" ".join(text.split()), anchor=False)
    else:
        st.markdown(text)


@st.cache_data(show_spinner="Writing …", max_entries=16)
def sample(seed: int) -> str:
    """Return text that the fp32 model writes, typeset."""
    checkpoint = ui.load_model(MODEL)
    settings = SampleSettings(temperature=TEMPERATURE, seed=seed, allow_unk=False)
    words = sample_words(checkpoint.model, checkpoint.vocabulary, settings, WORDS)
    return detokenize(each.word for each in words)


def about_the_weights() -> str:
    """Say how many numbers training left, and what they are for."""
    weights = sum(map(math.prod, ui.load_model(MODEL).model.config.shapes().values()))
    return (
        f"Training left {weights / 1e6:.0f} million numbers, and here they are at work: each word "
        "is drawn from what the model expects after those before it. A temperature of "
        f"{TEMPERATURE} keeps it sober."
    )


def show_sample(presenting: bool) -> None:
    """Show text by the model, and a button for another."""
    seed = st.session_state.setdefault("tour-seed", 1)
    with st.container(border=True):
        write(ui.plain(sample(seed)), presenting)
    if st.button("Another", icon=":material/casino:"):
        st.session_state["tour-seed"] = seed % 16 + 1
        st.rerun()


def show_quantized(presenting: bool) -> None:
    """Show fp32 beside int8: recorded, until Run measures here."""
    measure("tour-run", (FP32, INT8), presenting)
    if presenting:
        return
    theirs, ours = PUBLISHED["fp32"], PUBLISHED["int8"]
    st.caption(
        "The tutorial published, on a MacBook Pro and with its own weights: "
        f"loss {theirs.loss} and "
        f"{ours.loss}, {theirs.size_bytes / 1e6:.1f} and {ours.size_bytes / 1e6:.1f} MB, "
        f"{theirs.elapsed_s} and {ours.elapsed_s} s."
    )


def about_the_rest() -> str:
    """Say by how much the file shrinks, and why not by more."""
    before, after = parts_of(MODEL, FP32), parts_of(MODEL, INT8)
    share = 1 - sum(after.values()) / sum(before.values())
    return (
        f"Integers of 8 bits take a quarter of the room, yet the file shrinks by {share:.0%} only. "
        "The embedding is neither an LSTM nor a Linear layer, so it stays in 32-bit floats: "
        f"{after[EMBEDDING] / 1e6:.1f} of the {sum(after.values()) / 1e6:.1f} MB."
    )


def show_unreached(presenting: bool) -> None:
    """Show the bytes of each part, before, after, and with the embedding at int8, too."""
    variants = (FP32, INT8, WITH_EMBEDDING)
    parts = [parts_of(MODEL, variant) for variant in variants]
    show_bytes_chart([variant.label for variant in variants], parts)
    if not presenting:
        st.markdown(why_it_remains(MODEL, dict(zip(variants, parts, strict=True))))


def about_today() -> str:
    """Say what became of the API, and what quantizes the model now."""
    return (
        "The API behind step 4, `torch.ao.quantization`, is deprecated: PyTorch moved on to "
        "torchao, made for the Linear layers of transformers, with nothing for LSTMs. ONNX Runtime "
        "quantizes the same model, embedding included."
    )


def show_today(presenting: bool) -> None:
    """Compare the tutorial's int8 with ONNX Runtime's; recorded, where it is not installed."""
    measure("tour-onnx-run", (FP32, INT8, ONNX), presenting)


def measure(key: str, variants: tuple[Variant, ...], presenting: bool) -> None:
    """Draw a Run button and the comparison that it starts; before it, a recorded one if any."""
    names = tuple(map(str, variants))

    def show(result: dict) -> None:
        """Show the verdict and the last variant's cards, and charts where there is room."""
        st.subheader(sentence(result), anchor=False)
        results.show_cards(result["results"][0], result["results"][-1], brief=presenting)
        if not presenting:
            results.show_charts(result)

    if reason := next(filter(None, map(why_unavailable, variants)), ""):
        st.info(f"{reason}.", icon=":material/extension_off:")
    elif st.button("Run", type="primary", icon=":material/play_arrow:", key=f"{key}-button"):
        spec = CompareSpec(names, MODEL, seconds=SECONDS, target=DEFAULT_TARGET)
        st.session_state[key] = ui.job_queue().submit(spec, ui.visitor())
    if run_id := st.session_state.get(key):
        run = ui.job_queue().store.get(run_id)
        if not run.state.final:
            page_runs.watch(run_id, show)
            return
        results.show_ending(run)
        if run.result:
            show(run.result)
    elif recorded := recording(MODEL, (names[0], names[-1])):
        results.show_recorded(recorded)
        show(recorded.result)
    elif not reason:
        st.info(f"Press **Run**: about {SECONDS + 3:.0f} seconds.", icon=":material/play_arrow:")


STEPS = (
    Step(
        "The model",
        about_the_model,
        show_model,
        f'from wlm import load_checkpoint\n\nprint(load_checkpoint("{FOLDER}").model)',
    ),
    Step(
        "The text",
        lambda: (
            "The model knows a fixed list of words and reads their places in it; any other word "
            "is `<unk>`. How well it guesses each next word is its loss, in nats: lower is better."
        ),
        show_text,
        "from wlm.corpus import Vocabulary, read_text\n\n"
        f'vocabulary = Vocabulary.from_file("{FOLDER}/vocab.txt")\n'
        f'print(read_text("assets/texts/{DEFAULT_TEXT}.txt", vocabulary).ids[:20])',
    ),
    Step(
        "Its weights, and what it writes",
        about_the_weights,
        show_sample,
        "from wlm import SampleSettings, load_checkpoint, sample_words\n\n"
        f'checkpoint = load_checkpoint("{FOLDER}")\n'
        f"settings = SampleSettings(temperature={TEMPERATURE}, seed=1, allow_unk=False)\n"
        f"for each in sample_words(checkpoint.model, checkpoint.vocabulary, settings, {WORDS}):\n"
        "    print(each.word)",
    ),
    Step(
        "Quantize",
        lambda: (
            "One call stores the weights of the LSTM and of the Linear layer as 8-bit integers and "
            "rounds their inputs on the fly: dynamic quantization. The loss hardly moves; size and "
            "time do."
        ),
        show_quantized,
        code_for(INT8, FOLDER),
    ),
    Step(
        "What it could not reach",
        about_the_rest,
        show_unreached,
        code_for(WITH_EMBEDDING, FOLDER),
    ),
    Step(
        "What to use today",
        about_today,
        show_today,
        code_for(ONNX, FOLDER),
    ),
)
