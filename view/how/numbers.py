"""The numbers that How shows: each worked out once for all visitors who ask the same."""

import threading
from dataclasses import dataclass

import streamlit as st

from view.shared import server
from wlm.catalog.open import open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.errors import TextError
from wlm.explaining.bits import rounded, rounded_model, step_of
from wlm.explaining.curve import LossCurve, curve_of
from wlm.explaining.inputs import InputGrid, grid_between, highest_level
from wlm.explaining.reading import DECODER_WEIGHT, Reading, read
from wlm.explaining.word import WordAt, next_words, word_at
from wlm.inspecting.weight_error import Histogram, histogram, row_label
from wlm.quantization.pytorch import PyTorchModel
from wlm.quantization.variant import Variant
from wlm.sampling.candidates import Candidate
from wlm.sampling.words import SampleSettings, sample_words
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import detokenize, tokenize

FP32 = Variant()
CALIBRATION_WORDS = 100  # that a static range is taken from
SENTENCE_WORDS = 20  # at most
_one_at_a_time = threading.Lock()  # a model of rounded weights takes as much memory as fp32's


def variant_of(by_row: bool) -> Variant:
    """Return the variant with int8 LSTM and Linear, one scale a matrix or one a row."""
    precision = "int8-channel" if by_row else "int8"
    return Variant(lstm=precision, linear=precision)


@st.cache_data(show_spinner=False, max_entries=16)
def matrices_of(model: str) -> list[str]:
    """Return the names of the matrices that int8 rounds, in the order of a pass."""
    shapes = server.config_of(model).shapes()
    return [name for name in shapes if "weight" in name and not name.startswith("encoder.")]


def rows_of(model: str, matrix: str) -> int:
    """Return how many rows a matrix has."""
    return server.config_of(model).shapes()[matrix][0]


@st.cache_data(show_spinner=False, max_entries=256)
def words_read(model: str, prompt: str, known: bool = False) -> tuple[str, ...]:
    """Return a prompt's words as the model reads them, at least one; only those that it knows, if
    asked so. Raises TextError."""
    vocabulary = server.load_model(model).vocabulary
    words = [each for each in tokenize(prompt) if each in vocabulary or not known]
    return tuple(vocabulary.decode(vocabulary.encode(words))) or (vocabulary.words[0],)


@st.cache_resource(show_spinner="Reading …", max_entries=32)
def reading_of(model: str, variant: Variant, words: tuple[str, ...]) -> Reading:
    """Return words as a variant reads them."""
    ids = server.load_model(model).vocabulary.encode(words)
    return read(server.load_variant(model, variant), ids)


def _read(model: str, variant: Variant, words: tuple[str, ...]) -> tuple[PyTorchModel, Reading]:
    return server.load_variant(model, variant), reading_of(model, variant, words)


@st.cache_resource(show_spinner=False, max_entries=128)
def likely(model: str, words: tuple[str, ...], at: int, by_row: bool) -> list[Candidate]:
    """Return the likeliest next words after one, under fp32 and int8, and what each draws."""
    pairs = [_read(model, each, words) for each in (FP32, variant_of(by_row))]
    return next_words(pairs, server.load_model(model).vocabulary, at)


@st.cache_resource(show_spinner=False, max_entries=128)
def telling_row(model: str, words: tuple[str, ...], at: int, matrix: str) -> int:
    """Return the row to look at first: the likeliest next word's, or the one that holds the
    matrix's largest weight."""
    if matrix == DECODER_WEIGHT:
        (pair,) = [_read(model, FP32, words)]
        best = next_words([pair], server.load_model(model).vocabulary, at)[0].word
        return server.load_model(model).vocabulary.ids[best]
    return int(server.load_variant(model, FP32).matrices()[matrix].abs().amax(1).argmax())


@st.cache_resource(show_spinner=False, max_entries=32)
def word_of(
    model: str, words: tuple[str, ...], at: int, matrix: str, row: int, by_row: bool
) -> WordAt:
    """Return what a row of a matrix makes of its input at a word."""
    pairs = [_read(model, each, words) for each in (FP32, variant_of(by_row))]
    return word_at(*pairs, matrix, row, at, highest_level())


@st.cache_data(show_spinner=False, max_entries=256)
def label_of(model: str, matrix: str, row: int) -> str:
    """Return what a row stands for: a word, or a gate of an LSTM's unit."""
    return row_label(matrix, row, server.load_model(model))


@st.cache_resource(show_spinner="Counting the weights …", max_entries=32)
def histogram_of(model: str, matrix: str, by_row: bool) -> Histogram:
    """Return the histogram of a matrix's weights over their grid."""
    fp32, stored = (server.load_variant(model, each) for each in (FP32, variant_of(by_row)))
    return histogram(fp32.matrices()[matrix], stored.matrices()[matrix])


@dataclass(frozen=True)
class Static:
    """The grid that static quantization would fix for each matrix's input, and in words what it is
    calibrated on."""

    grids: dict[str, InputGrid]
    words: str


@st.cache_resource(show_spinner="Reading the text …", max_entries=8)
def static_of(model: str) -> Static:
    """Return the grids over the ranges that fp32 has on the first words of the bundled text."""
    vocabulary = server.load_model(model).vocabulary
    try:
        ids, of = open_text(DEFAULT_TEXT, vocabulary).ids[:CALIBRATION_WORDS], "the bundled text"
    except TextError:  # not in these words
        ids, of = vocabulary.encode(vocabulary.words[:CALIBRATION_WORDS]), "its vocabulary"
    reading = read(server.load_variant(model, FP32), ids)
    grids = {}
    for matrix in matrices_of(model):
        lows, highs = zip(*reading.ranges(matrix), strict=True)
        grids[matrix] = grid_between(min(lows), max(highs), highest_level())
    return Static(grids, f"the first {len(ids)} words of {of}")


@st.cache_resource(show_spinner=False, max_entries=16)
def curve_of_model(model: str) -> LossCurve | None:
    """Return the recorded losses at fewer bits of a model's weights, None where there are none."""
    return curve_of(server.load_model(model).sha256)


@dataclass(frozen=True)
class Fewer:
    """What fewer bits make of a model: a matrix's step (its rows' mean), how many of its weights
    stand on each level, from the lowest; the next words beside fp32's, and a sentence."""

    step: float
    counts: list[int]
    words: list[Candidate]
    sentence: str


@st.cache_resource(show_spinner="Rounding …", max_entries=64)
def fewer(
    model: str, words: tuple[str, ...], at: int, matrix: str, by_row: bool, bits: int
) -> Fewer:
    """Return what so many bits make of a model's LSTM and Linear weights, the rest in fp32."""
    checkpoint = server.load_model(model)
    weights = checkpoint.model.state_dict()[matrix]
    step = step_of(weights, bits, by_row)
    levels = (rounded(weights, bits, by_row) / step).round().long() + 2 ** (bits - 1)
    counts = levels.flatten().bincount(minlength=2**bits).tolist()
    with _one_at_a_time:
        made = PyTorchModel(rounded_model(checkpoint.model, bits, by_row))
        ids = checkpoint.vocabulary.encode(words[: at + 1])
        pairs = [_read(model, FP32, words), (made, read(made, ids))]
        following = next_words(pairs, checkpoint.vocabulary, at)
        sentence = sentence_of(made, checkpoint.vocabulary, words[: at + 1])
    return Fewer(float(step.mean()), counts, following, sentence)


@st.cache_resource(show_spinner="Writing …", max_entries=64)
def fp32_sentence(model: str, words: tuple[str, ...]) -> str:
    """Return the sentence that fp32 writes after some words."""
    return sentence_of(server.load_variant(model, FP32), server.load_model(model).vocabulary, words)


def sentence_of(made: PyTorchModel, vocabulary, words: tuple[str, ...]) -> str:
    """Return how a model goes on after some words, to the sentence's end."""
    settings = SampleSettings(temperature=0.8, prompt=words, draw="race")
    written = []
    for each in sample_words(made, vocabulary, settings, SENTENCE_WORDS):
        written.append(each.word)
        if each.word in (".", EOS):
            break
    return detokenize([*words, *written]).strip()
