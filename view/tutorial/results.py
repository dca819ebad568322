"""What each step of the guided tour shows: live results, fewer and larger for a presenter."""

import streamlit as st

from view.compare import results
from view.inspect.bytes import bytes_chart, parts_of, why_it_remains
from view.inspect.diagram import overview
from view.shared import server, visitor
from view.shared.cards import card
from view.shared.page import plain
from view.shared.runs import find_run, show_run
from view.tutorial import charts
from view.tutorial.place import QUANTIZED, TODAY, go, place
from wlm.catalog.names import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.catalog.open import open_text
from wlm.errors import StoreError
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.wording import SAME_LOSS, sentence
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording
from wlm.runs.run import Run
from wlm.sampling.words import SampleSettings, sample_words
from wlm.text.wikitext import readable
from wlm.tutorial import PUBLISHED

MODEL = DEFAULT_MODEL
FP32, INT8 = Variant.parse("fp32"), Variant.parse("int8")
WITH_EMBEDDING = Variant.parse("pytorch:lstm=int8,linear=int8,embedding=int8")
ONNX = Variant.parse("onnxruntime:lstm=int8,linear=int8,embedding=int8")
SECONDS = 6.0
WORDS, TEMPERATURE = 60, 0.8
OPENING = "= The Old Bridge = <eos> <eos> The Old Bridge is"  # as an article's


def show_model(presenting: bool) -> None:
    """Show the model as a diagram, with the megabytes of each part."""
    config = server.config_of(MODEL)
    sizes = {part: size / 1e6 for part, size in parts_of(MODEL, FP32).items()}
    st.graphviz_chart(
        overview(config, "fp32", sizes, across=presenting),
        width="stretch" if presenting else "content",
    )


@st.cache_data(show_spinner="Reading the text …", max_entries=1)
def text_facts() -> tuple[int, int, str]:
    """Return the text's tokens, how many of them are unknown, and its beginning, typeset."""
    vocabulary = server.load_model(MODEL).vocabulary
    text = open_text(DEFAULT_TEXT, vocabulary)
    beginning = readable(vocabulary.decode(text.ids[:60]))
    return len(text.ids), text.unknown, beginning[: beginning.rfind(".") + 1] or beginning


def show_text(presenting: bool) -> None:
    """Show the text as the model meets it: words it knows, and a number for each."""
    tokens, unknown, beginning = text_facts()
    words = len(server.load_model(MODEL).vocabulary)
    draw = large_card if presenting else card
    known, read, strange = st.columns(3)
    draw(known, "Words the model knows", f"{words:,}")
    draw(read, "Words of the text", f"{tokens:,}")
    draw(strange, "Of them unknown", f"{unknown:,}")
    show_passage(beginning, presenting)


def large_card(column, heading: str, value: str, change: str = "", color: str = "gray") -> None:
    """Draw a number and its change in the type of a lecture hall."""
    with column.container(border=True, height="stretch", gap=None):
        st.header(heading, anchor=False)
        st.metric(heading, value, label_visibility="collapsed")
        if change:
            st.header(f":{color}[{change}]", anchor=False)


def show_passage(text: str, presenting: bool) -> None:
    """Show a text in a frame, for a presenter in the type of a header."""
    with st.container(border=True):
        for paragraph in filter(str.strip, text.split("\n")):
            words = plain(paragraph)
            st.header(words, anchor=False) if presenting else st.markdown(words)


@st.cache_data(show_spinner="Writing …", max_entries=16)
def sample(seed: int) -> str:
    """Return text that the fp32 model writes, typeset."""
    checkpoint = server.load_model(MODEL)
    prompt = tuple(OPENING.split())
    # In one paragraph, for which a slide has room.
    only_words = {"allow_unk": False, "allow_eos": False}
    settings = SampleSettings(TEMPERATURE, prompt=prompt, seed=seed, **only_words)
    words = sample_words(checkpoint.model, checkpoint.vocabulary, settings, WORDS)
    return readable([*prompt, *(each.word for each in words)])


def show_sample(presenting: bool) -> None:
    """Show text by the model, and a button for another."""
    seed = st.session_state.setdefault("tour-seed", 1)
    show_passage(sample(seed), presenting)
    if st.button("Another", icon=":material/casino:"):
        st.session_state["tour-seed"] = seed % 16 + 1
        st.rerun()


def show_quantized(presenting: bool) -> None:
    """Show fp32 beside int8: recorded, until Run measures here."""
    measure(QUANTIZED, (FP32, INT8), presenting)
    if presenting:
        return
    theirs, ours = PUBLISHED["fp32"], PUBLISHED["int8"]
    st.caption(
        "The tutorial published, on a MacBook Pro and with its own weights: "
        f"loss {theirs.loss} and {ours.loss}, {theirs.size_bytes / 1e6:.1f} and "
        f"{ours.size_bytes / 1e6:.1f} MB, {theirs.elapsed_s} and {ours.elapsed_s} s."
    )


def show_unreached(presenting: bool) -> None:
    """Show the bytes of each part, before, after, and with the embedding at int8, too."""
    variants = [FP32, INT8, WITH_EMBEDDING]
    # Each size has a key: a chart drawn anew keeps its old height otherwise.
    chart = bytes_chart(MODEL, variants, large=presenting)
    st.vega_lite_chart(chart, key=f"tour-bytes-{presenting}")
    if not presenting:
        st.markdown(why_it_remains(MODEL, {each: parts_of(MODEL, each) for each in variants}))


def show_today(presenting: bool) -> None:
    """Compare the tutorial's int8 with ONNX Runtime's."""
    measure(TODAY, (FP32, INT8, ONNX), presenting)


def measure(key: str, variants: tuple[Variant, ...], presenting: bool) -> None:
    """Draw a Run button and the comparison that it starts; before it, a recorded one if any, or
    what is missing."""

    def show_numbers(result: dict) -> None:
        show_verdict = st.header if presenting else st.subheader
        show_verdict(sentence(result), anchor=False)
        rows = result["results"]
        if presenting:
            show_large_cards(rows[0], rows[-1])
            show_bars(rows)
        else:
            results.show_cards(rows[0], rows[-1])
            results.show_charts(result)

    names = tuple(map(str, variants))
    spec = CompareSpec(names, MODEL, seconds=SECONDS, target=DEFAULT_TARGET)
    missing = next(filter(None, map(why_unavailable, variants)), "")
    run = recorded = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if not missing and st.button(
            "Run", type="primary", icon=":material/play_arrow:", key=f"{key}-button"
        ):
            submitted = server.job_queue().submit(spec, visitor.name())
            go(runs={**place().runs, key: submitted})
        run = measured(key, spec)
        if not run and (recorded := recording(MODEL, names)):
            results.show_recorded(recorded)
    if run:
        show_run(run, show_numbers)
    elif recorded:
        show_numbers(recorded.result)
    else:
        if not missing:
            wait = f"about {spec.most_seconds:.0f} seconds"
            st.info(
                f"Press **Run** to measure it on this machine: {wait}.",
                icon=":material/play_arrow:",
            )
        results.show_cards(None, None)
    if missing:
        st.info(f"No Run here: {missing}", icon=":material/extension_off:")


def measured(key: str, spec: CompareSpec) -> Run | None:
    """Return the run that was started here, or that the URL names, if it is of this comparison;
    say so where it is not here."""
    if not (run_id := place().runs.get(key)):
        return None
    try:
        run = find_run(run_id)
    except StoreError:
        run = None
    if run and (run.spec["model"], tuple(run.spec["variants"])) == (spec.model, spec.variants):
        return run
    st.badge("The run in this link is not on this server", icon=":material/link_off:", color="gray")
    return None


def show_large_cards(baseline: dict, chosen: dict) -> None:
    """Show loss, size and elapsed time of one variant for a lecture hall; the bars below them have
    the baseline's."""
    loss, size, elapsed = st.columns(3)
    change = chosen["loss"] - baseline["loss"]
    share = chosen["size_bytes"] / baseline["size_bytes"] - 1
    against = f"against {baseline['label']}"
    large_card(
        loss,
        results.LOSS,
        f"{chosen['loss']:.4f}",
        f"{_signed(change, '.4f')} {against}",
        "gray" if abs(change) < SAME_LOSS else "red" if change > 0 else "green",
    )
    large_card(
        size,
        results.SIZE,
        f"{chosen['size_bytes'] / 1e6:.1f}",
        f"{_signed(share, '.0%')} {against}",
        "green" if share < 0 else "red",
    )
    large_card(
        elapsed,
        results.ELAPSED,
        f"{chosen['elapsed_s']:.2f}",
        f"{chosen['speedup']:.2f} times as fast, by blocks",
        {"faster": "green", "slower": "red"}.get(chosen["verdict"], "gray"),
    )


def show_bars(rows: list[dict]) -> None:
    """Show what the cards say of all variants as bars, a column below each card."""
    labels = [row["label"] for row in rows]
    for column, (measure, unit, format) in zip(
        st.columns(3),
        (("loss", 1, ".4f"), ("size_bytes", 1e6, ".1f"), ("elapsed_s", 1, ".2f")),
        strict=True,
    ):
        values = [row[measure] / unit for row in rows]
        chart = charts.large_bars(labels, values, format)
        column.vega_lite_chart(chart, key=f"tour-bars-{measure}")


def _signed(value: float, format: str) -> str:
    return f"{value:+{format}}".replace("-", "−")
