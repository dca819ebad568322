"""Texts drawn from several variants: written while the visitor watches, and compared."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest

import streamlit as st

from view.sample.write_queue import wait_to_write
from view.shared import server
from view.shared.singleton import singleton
from wlm.bounded_cache import BoundedCache
from wlm.quantization.variant import Variant
from wlm.sampling.candidates import Candidate, candidates
from wlm.sampling.divergence import Reader, WordDivergence, divergences
from wlm.sampling.words import (
    SampledWord,
    SampleSettings,
    beginning,
    first_difference,
    sample_words,
)
from wlm.text.vocabulary import Vocabulary

SCREEN_UPDATE_SECONDS = 0.1  # words are drawn faster than a screen needs to show them
WORD_BYTES = 600  # in memory: a word of one variant, and how it differs
WORDS = 6  # the likeliest words at a draw


@dataclass(frozen=True)
class Request:
    """The settings of a sample; the first variant is the baseline."""

    model: str
    variants: tuple[Variant, ...]
    settings: SampleSettings
    words: int

    def models(self) -> list:
        """Return the variants' models."""
        return [server.load_variant(self.model, variant) for variant in self.variants]

    def readers(self) -> list[Reader]:
        """Return the variants as readers."""
        return list(map(Reader.of, self.models(), self.variants))

    def vocabulary(self) -> Vocabulary:
        """Return the words that the model knows."""
        return server.load_model(self.model).vocabulary

    def given(self) -> list[str]:
        """Return the words that are read before the first one is written."""
        if self.settings.prompt:
            return list(self.settings.prompt)
        vocabulary = self.vocabulary()
        return vocabulary.decode(beginning(vocabulary, self.settings)[0][:, 0])


@dataclass
class Sample:
    """A text per variant, and how far the variants differ along the baseline's text."""

    request: Request
    texts: list[list[SampledWord]]
    divergences: list[WordDivergence] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Return the variants' labels."""
        return [variant.label for variant in self.request.variants]

    @property
    def complete(self) -> bool:
        """Tell whether all words were compared."""
        return len(self.texts) == 1 or 0 < len(self.texts[0]) == len(self.divergences)

    def words(self, i: int) -> list[str]:
        """Return the words of a variant's text."""
        return [sampled.word for sampled in self.texts[i]]

    def ids(self) -> list[int]:
        """Return the word ids of the baseline's text."""
        return [sampled.id for sampled in self.texts[0]]

    def departure(self, i: int) -> int | None:
        """Return the position, from 0, of the first word that differs from the first text."""
        return first_difference(self.words(0), self.words(i))

    def departures(self) -> list[int]:
        """Return the positions, from 0, at which other texts depart from the first text."""
        places = [self.departure(i) for i in range(1, len(self.texts))]
        return [place for place in places if place is not None]

    def before_first_departure(self) -> tuple[int, ...]:
        """Return the ids of the baseline's text before the first difference of any other text."""
        return tuple(self.ids()[: min(self.departures(), default=0)])

    def words_per_second(self, i: int) -> float:
        """Return the words per second of a variant, for model and draw; 0 if it has no text yet."""
        text = self.texts[i]
        return len(text) / sum(sampled.seconds for sampled in text) if text else 0.0

    def draw_at(self, place: int) -> list[Candidate]:
        """Return the draw at a position of the baseline's text."""
        return _draw(self.request, tuple(self.ids()[:place]))


@singleton
def kept_samples() -> BoundedCache:
    """Return the whole samples that were written last, for all visitors: nobody changes one."""
    return BoundedCache(64, 16_000_000, lambda sample: WORD_BYTES * sum(map(len, sample.texts)))


@st.cache_resource(show_spinner=False, max_entries=256)
def _draw(request: Request, ids: tuple[int, ...]) -> list[Candidate]:
    return candidates(request.readers(), request.vocabulary(), request.settings, ids, WORDS)


def write(request: Request, show: Callable[[Sample], None]) -> Sample:
    """Draw all variants' texts, one word of each in turn, and show them as they grow."""
    # Stored in the session from the first word on, so that a stopped text stays.
    sample = st.session_state["sample"] = Sample(request, [[] for _ in request.variants])
    with wait_to_write():
        streams = [
            sample_words(model, request.vocabulary(), request.settings, request.words)
            for model in request.models()
        ]
        shown = 0.0
        for words in zip_longest(*streams):
            for text, word in zip(sample.texts, words, strict=True):
                if word is not None:
                    text.append(word)
            if time.monotonic() - shown > SCREEN_UPDATE_SECONDS:
                show(sample)
                shown = time.monotonic()
        show(sample)
        compare(sample)
    kept_samples().get(request, lambda: sample)
    return sample


def settled(sample: Sample) -> Sample:
    """Return the session's sample; a copy if writing was stopped, because the script that writes
    the sample may still add words."""
    if sample.complete or not all(sample.texts):
        return sample
    copy = st.session_state["sample"] = Sample(sample.request, list(map(list, sample.texts)))
    return copy


def finish(sample: Sample) -> None:
    """Compare a sample's texts if the comparison was stopped."""
    if not sample.complete:
        with wait_to_write():
            compare(sample)


def compare(sample: Sample) -> None:
    """Read the baseline's text with all variants, to see how far they differ on each word."""
    if len(sample.texts) < 2 or not all(sample.texts):
        return
    request, ids = sample.request, sample.ids()
    progress, found, shown = st.progress(0.0), [], 0.0
    for divergence in divergences(request.readers(), request.vocabulary(), request.settings, ids):
        found.append(divergence)
        if time.monotonic() - shown > SCREEN_UPDATE_SECONDS:
            text = f"All variants read {sample.labels[0]}'s text: {len(found)} of {len(ids)} words"
            progress.progress(len(found) / len(ids), text=text)
            shown = time.monotonic()
    progress.empty()
    sample.divergences = found
