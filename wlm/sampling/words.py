"""Text drawn from a model, word by word."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wlm.errors import SettingError, TextError, check_range
from wlm.sampling.draws import DRAWS
from wlm.sampling.filters import Filter, ban_filter, temperature_filter, top_k_filter, top_p_filter
from wlm.text.vocabulary import EOS, UNK, Vocabulary
from wlm.text.wikitext import lines

MAX_WORDS = 10_000
MAX_PROMPT_WORDS = 1_000


@dataclass(frozen=True)
class SampledWord:
    """One word of a sample: its id, the probability it was drawn with, and the seconds that the
    model and the draw took."""

    word: str
    id: int
    probability: float
    seconds: float


@dataclass(frozen=True)
class SampleSettings:
    """How words are drawn: at which temperature, from which words, after which prompt.

    top_k 0 and top_p 1 keep all words. `stop_at_article` ends the text before the title of the
    next article. `draw` is one of DRAWS, which all draw from the same probabilities:
    `multinomial` as in the tutorial, `race` so that models can be compared word by word, or
    `inverse-cdf`, the quickest. Raises SettingError.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    prompt: tuple[str, ...] = ()
    seed: int = 1
    allow_unk: bool = True
    allow_eos: bool = True
    stop_at_article: bool = False
    draw: str = "multinomial"

    def __post_init__(self):
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("the prompt's length in words", len(self.prompt), 0, MAX_PROMPT_WORDS)
        check_range("top_k", self.top_k, 0, 1_000_000)
        if self.draw not in DRAWS:
            raise SettingError(f"draw must be one of {', '.join(DRAWS)}, got {self.draw!r}")
        temperature_filter(self.temperature)
        top_p_filter(self.top_p)

    def weighting(self, vocabulary: Vocabulary) -> list[Filter]:
        """Return the filters that leave every word possible but those banned. Raises TextError."""
        allowed = {UNK: self.allow_unk, EOS: self.allow_eos}
        banned = [vocabulary.ids[w] for w, ok in allowed.items() if not ok and w in vocabulary]
        if len(banned) == len(vocabulary):
            raise TextError("all words of the vocabulary are banned")
        filters = [ban_filter(banned)] if banned else []
        if self.temperature != 1.0:
            filters.append(temperature_filter(self.temperature))
        return filters

    def filters(self, vocabulary: Vocabulary) -> list[Filter]:
        """Return all filters in the order in which they apply. Raises TextError."""
        filters = self.weighting(vocabulary)
        if self.top_k:
            filters.append(top_k_filter(self.top_k))
        if self.top_p < 1.0:
            filters.append(top_p_filter(self.top_p))
        return filters


def beginning(vocabulary: Vocabulary, settings: SampleSettings) -> tuple[Tensor, torch.Generator]:
    """Return the ids that are read before the first draw, (T, 1), and the generator of all draws.

    They are the prompt or else one random word, which is not part of the text. Raises TextError.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    if settings.prompt:
        return vocabulary.encode(settings.prompt).view(-1, 1), generator
    return torch.randint(len(vocabulary), (1, 1), generator=generator), generator


def sample_words(
    model, vocabulary: Vocabulary, settings: SampleSettings, words: int
) -> Iterator[SampledWord]:
    """Return at most `words` words one by one, each drawn from the model's distribution after
    the words before it.

    `model(input, hidden)` maps ids (T, 1) and a hidden state to logits (T, 1, V) and the next
    hidden state; `model.init_hidden(1)` gives the first one. All draws come from one generator
    with the settings' seed; at temperature 1 without filters they are the tutorial's after
    `torch.manual_seed(seed)`. Source: the tutorial, section 3.

    Raises SettingError, and TextError for a prompt that the vocabulary cannot hold.
    """
    check_range("words", words, 1, MAX_WORDS)
    filters = settings.filters(vocabulary)
    input, generator = beginning(vocabulary, settings)
    if isinstance(model, nn.Module):
        model.eval()

    def draw_words() -> Iterator[SampledWord]:
        draw = DRAWS[settings.draw]
        read, hidden = input, model.init_hidden(1)
        for _ in range(words):
            start = time.perf_counter()
            with torch.inference_mode():
                output, hidden = model(read, hidden)  # (T, 1, V)
                logits = output[-1, 0]
                for filter in filters:
                    logits = filter(logits)
                probabilities = logits.softmax(0)
                id = draw(probabilities, generator)
                probability = float(probabilities[id])
                read = torch.tensor([[id]])
            word = vocabulary.words[id]
            yield SampledWord(word, id, probability, time.perf_counter() - start)

    stream = draw_words()
    return until_article_ends(stream, settings.prompt) if settings.stop_at_article else stream


def until_article_ends(
    stream: Iterator[SampledWord], prompt: Sequence[str] = ()
) -> Iterator[SampledWord]:
    """Yield words until a line `= Title` begins after a line of text; `= = Section` goes on."""
    before, held = (prompt[-1] if prompt else None), None
    begun = [line.level for line in lines(prompt)][-1:] not in ([], [1])  # not if only by a title
    for sampled in stream:
        if held is not None:
            if sampled.word != "=" and begun:
                return
            yield held
            begun, held = True, None
        if sampled.word == "=" and before == EOS:
            held = sampled  # a title or a section: the next word tells
        else:
            begun = begun or sampled.word != EOS
            yield sampled
        before = sampled.word
    if held is not None:
        yield held


def first_difference(words: Sequence[str], others: Sequence[str]) -> int | None:
    """Return the position of the first word that differs, or None if the shorter text agrees."""
    pairs = enumerate(zip(words, others, strict=False))
    return next((i for i, (word, other) in pairs if word != other), None)


def to_out_txt(words: Sequence[str]) -> str:
    """Return raw words in the tutorial's file layout, 20 a line. Source: the tutorial, section 3
    (which wrote each word as a bytes literal, `b'word'`; here it is the word itself)."""
    return "".join(f"{' '.join(words[i : i + 20])}\n" for i in range(0, len(words), 20))
