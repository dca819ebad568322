"""What How explains, and its numbers: each is computed once for all visitors."""

import threading
from dataclasses import dataclass

import streamlit as st

from view.shared import server
from wlm.catalog.open import open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.errors import TextError
from wlm.explaining.bits import level_counts, rounded_model, step_of
from wlm.explaining.integers import (
    InputGrid,
    WordAt,
    grid_between,
    highest_level,
    next_words,
    word_at,
)
from wlm.explaining.reading import DECODER_WEIGHT, Reading, read
from wlm.inspecting.parts import matrix_label
from wlm.inspecting.weight_error import row_label
from wlm.quantization.pytorch import PyTorchModel
from wlm.quantization.variant import Variant
from wlm.sampling.candidates import Candidate
from wlm.sampling.words import SampleSettings, sample_words
from wlm.text.vocabulary import EOS, Vocabulary
from wlm.text.wikitext import detokenize, tokenize

FP32 = Variant()
CALIBRATION_TOKENS = 100  # static quantization takes its ranges from these
SENTENCE_WORDS = 20  # at most
_one_at_a_time = threading.Lock()  # a model with rounded weights takes as much memory as fp32


@dataclass(frozen=True)
class Selection:
    """A model, the words it reads and the position of one of them, from 0; a matrix by its key in
    the fp32 state_dict, one of its rows, and whether each row has its own scale."""

    model: str
    words: tuple[str, ...]
    at: int
    matrix: str
    row: int
    by_row: bool

    @property
    def word(self) -> str:
        """Return the word that was read last."""
        return self.words[self.at]

    @property
    def name(self) -> str:
        """Return the matrix's name on the page."""
        return matrix_label(self.matrix)

    @property
    def int8(self) -> Variant:
        """Return the variant whose LSTM and Linear are int8, per tensor or per row."""
        precision = "int8-channel" if self.by_row else "int8"
        return Variant(lstm=precision, linear=precision)

    def label(self, row: int) -> str:
        """Return the meaning of a row of the matrix: a word, or a gate of an LSTM's unit."""
        return row_label(self.matrix, row, server.load_model(self.model))


def matrices_of(model: str) -> list[str]:
    """Return the keys of the matrices that int8 rounds, in the order of a pass."""
    shapes = server.config_of(model).shapes()
    return [name for name in shapes if "weight" in name and not name.startswith("encoder.")]


def words_read(model: str, prompt: str, known: bool = False) -> tuple[str, ...]:
    """Return a prompt's words as the model reads them, at least one. `known` leaves out unknown
    words. Raises TextError."""
    vocabulary = server.load_model(model).vocabulary
    words = [word for word in tokenize(prompt) if word in vocabulary or not known]
    return tuple(vocabulary.decode(vocabulary.encode(words))) or (vocabulary.words[0],)


@st.cache_resource(show_spinner="Reading …", max_entries=32)
def _reading(model: str, variant: Variant, words: tuple[str, ...]) -> Reading:
    ids = server.load_model(model).vocabulary.encode(words)
    return read(server.load_variant(model, variant), ids)


def _read(model: str, variant: Variant, words: tuple[str, ...]) -> tuple[PyTorchModel, Reading]:
    return server.load_variant(model, variant), _reading(model, variant, words)


@st.cache_resource(show_spinner=False, max_entries=128)
def default_row(model: str, words: tuple[str, ...], at: int, matrix: str) -> int:
    """Return the row to show first: the likeliest next word's row of the decoder, or the row with
    an LSTM matrix's largest weight."""
    if matrix == DECODER_WEIGHT:
        vocabulary = server.load_model(model).vocabulary
        (likeliest, *_) = next_words([_read(model, FP32, words)], vocabulary, at)
        return vocabulary.ids[likeliest.word]
    return int(server.load_variant(model, FP32).matrices()[matrix].abs().amax(1).argmax())


@st.cache_resource(show_spinner=False, max_entries=32)
def word_of(chosen: Selection) -> WordAt:
    """Return what the row makes of the matrix's input at the word."""
    models = [_read(chosen.model, variant, chosen.words) for variant in (FP32, chosen.int8)]
    return word_at(*models, chosen.matrix, chosen.row, chosen.at)


@st.cache_resource(show_spinner=False, max_entries=128)
def next_words_of(chosen: Selection) -> list[Candidate]:
    """Return the likeliest next words under fp32 and int8, and what each variant draws."""
    models = [_read(chosen.model, variant, chosen.words) for variant in (FP32, chosen.int8)]
    return next_words(models, server.load_model(chosen.model).vocabulary, chosen.at)


def ranges_of(chosen: Selection) -> list[tuple[float, float]]:
    """Return the lowest and highest value of the matrix's input at each word."""
    return _reading(chosen.model, chosen.int8, chosen.words).ranges(chosen.matrix)


@dataclass(frozen=True)
class StaticGrids:
    """The grid that static quantization would fix for each matrix's input, and the calibration
    text in words."""

    grids: dict[str, InputGrid]
    text: str


@st.cache_resource(show_spinner="Reading the text …", max_entries=8)
def static_grids(model: str) -> StaticGrids:
    """Return the grids over fp32's ranges on the first tokens of the bundled text."""
    vocabulary = server.load_model(model).vocabulary
    try:
        ids = open_text(DEFAULT_TEXT, vocabulary).ids[:CALIBRATION_TOKENS]
        source = "the bundled text"
    except TextError:  # the model does not know its words
        ids = vocabulary.encode(vocabulary.words[:CALIBRATION_TOKENS])
        source = "the vocabulary"
    reading = read(server.load_variant(model, FP32), ids)
    grids = {}
    for matrix in matrices_of(model):
        lows, highs = zip(*reading.ranges(matrix), strict=True)
        grids[matrix] = grid_between(min(lows), max(highs), highest_level())
    return StaticGrids(grids, f"the first {len(ids)} tokens of {source}")


@dataclass(frozen=True)
class FewerBits:
    """A model at fewer bits: the matrix's step (the mean of its rows' steps) and the number of
    weights on each level from the lowest. Also the next words next to fp32's, and a sentence of
    each."""

    step: float
    counts: list[int]
    words: list[Candidate]
    sentences: tuple[str, str]


@st.cache_resource(show_spinner="Rounding …", max_entries=64)
def fewer_bits(
    model: str, words: tuple[str, ...], matrix: str, by_row: bool, bits: int
) -> FewerBits:
    """Return what a number of bits makes of the LSTM and Linear weights, the rest in fp32, after
    the model has read the words."""
    checkpoint, fp32 = server.load_model(model), server.load_variant(model, FP32)
    weights = checkpoint.model.state_dict()[matrix]
    step, counts = step_of(weights, bits, by_row), level_counts(weights, bits, by_row)
    with _one_at_a_time:
        made = PyTorchModel(rounded_model(checkpoint.model, bits, by_row))
        ids = checkpoint.vocabulary.encode(words)
        models = [_read(model, FP32, words), (made, read(made, ids))]
        candidates = next_words(models, checkpoint.vocabulary, len(words) - 1)
        sentences = tuple(_sentence(one, checkpoint.vocabulary, words) for one in (fp32, made))
    return FewerBits(float(step.mean()), counts, candidates, sentences)


def _sentence(model: PyTorchModel, vocabulary: Vocabulary, words: tuple[str, ...]) -> str:
    """Return words and what a model writes after them, to the end of the sentence."""
    settings = SampleSettings(temperature=0.8, prompt=words, draw="race")
    written = []
    for sampled in sample_words(model, vocabulary, settings, SENTENCE_WORDS):
        written.append(sampled.word)
        if sampled.word in (".", EOS):
            break
    return detokenize([*words, *written]).strip()
