"""Text drawn from a model, word by word."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.corpus import EOS, UNK, Vocabulary
from wlm.errors import TextError, check_range
from wlm.model import LSTMModel

Filter = Callable[[Tensor], Tensor]  # logits (V,) to logits (V,)

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


def temperature_filter(temperature: float) -> Filter:
    """Divide logits by a temperature of 0.01 to 10: below 1 likely words get likelier.

    Raises SettingError.
    """
    check_range("temperature", temperature, 0.01, 10.0)
    return lambda logits: logits / temperature


def top_k_filter(k: int) -> Filter:
    """Keep the k likeliest words, k at least 1; words as likely as the last of them stay too.

    Raises SettingError. Source: Fan et al. 2018, "Hierarchical Neural Story Generation".
    """
    check_range("top_k", k, 1, 1_000_000)

    def keep(logits: Tensor) -> Tensor:
        smallest = logits.topk(min(k, len(logits))).values[-1]
        return logits.masked_fill(logits < smallest, -math.inf)

    return keep


def top_p_filter(p: float) -> Filter:
    """Keep the smallest set of likeliest words whose probabilities sum to p, 0.001 to 1.

    Raises SettingError. Source: Holtzman et al. 2020, "The Curious Case of Neural Text
    Degeneration".
    """
    check_range("top_p", p, 0.001, 1.0)

    def keep(logits: Tensor) -> Tensor:
        probabilities, order = logits.softmax(0).sort(descending=True)
        # A word stays while the words before it do not reach p: the first one always stays.
        before = probabilities.cumsum(0) - probabilities
        return logits.index_fill(0, order[before >= p], -math.inf)

    return keep


def ban_filter(ids: Sequence[int]) -> Filter:
    """Give the words of these ids probability 0."""
    banned = torch.tensor(list(ids), dtype=torch.int64)
    return lambda logits: logits.index_fill(0, banned, -math.inf)


@dataclass(frozen=True)
class SampleSettings:
    """How words are drawn: at which temperature, from which words, after which prompt.

    top_k 0 and top_p 1 keep all words. Raises SettingError.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    prompt: tuple[str, ...] = ()
    seed: int = 1
    allow_unk: bool = True
    allow_eos: bool = True

    def __post_init__(self):
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("the prompt's length in words", len(self.prompt), 0, MAX_PROMPT_WORDS)
        check_range("top_k", self.top_k, 0, 1_000_000)
        temperature_filter(self.temperature)
        top_p_filter(self.top_p)

    def filters(self, vocabulary: Vocabulary) -> list[Filter]:
        """Return the filters that the settings ask for, in the order in which they apply."""
        allowed = {UNK: self.allow_unk, EOS: self.allow_eos}
        banned = [vocabulary.ids[w] for w, ok in allowed.items() if not ok and w in vocabulary]
        if len(banned) == len(vocabulary):
            raise TextError("all words of the vocabulary are banned")
        filters = [ban_filter(banned)] if banned else []
        if self.temperature != 1.0:
            filters.append(temperature_filter(self.temperature))
        if self.top_k:
            filters.append(top_k_filter(self.top_k))
        if self.top_p < 1.0:
            filters.append(top_p_filter(self.top_p))
        return filters


def sample_words(
    model: LSTMModel, vocabulary: Vocabulary, settings: SampleSettings, words: int
) -> Iterator[SampledWord]:
    """Yield `words` words, each drawn from the model's distribution after those before it.

    Without a prompt the first input is a random word, which is not part of the text. All draws
    come from one generator with the settings' seed; at temperature 1 without filters they are
    the tutorial's after `torch.manual_seed(seed)`. Source: the tutorial, section 3.

    Raises SettingError, and TextError for a prompt that the vocabulary cannot hold.
    """
    check_range("words", words, 1, MAX_WORDS)
    filters = settings.filters(vocabulary)
    generator = torch.Generator().manual_seed(settings.seed)
    if settings.prompt:
        input = vocabulary.encode(settings.prompt).view(-1, 1)  # (T, 1)
    else:
        input = torch.randint(len(vocabulary), (1, 1), generator=generator)
    model.eval()
    hidden = model.init_hidden(1)
    for _ in range(words):
        start = time.perf_counter()
        with torch.inference_mode():
            output, hidden = model(input, hidden)  # (T, 1, V)
            logits = output[-1, 0]
            for each in filters:
                logits = each(logits)
            probabilities = logits.softmax(0)
            id = int(torch.multinomial(probabilities, 1, generator=generator))
            probability = float(probabilities[id])
            input = torch.tensor([[id]])
        yield SampledWord(vocabulary.words[id], id, probability, time.perf_counter() - start)


def first_difference(words: Sequence[str], others: Sequence[str]) -> int | None:
    """Return the place of the first word that differs, None where the shorter text agrees."""
    pairs = enumerate(zip(words, others, strict=False))
    return next((i for i, (word, other) in pairs if word != other), None)


def to_out_txt(words: Sequence[str]) -> str:
    """Return raw words in the tutorial's file layout, 20 a line. Source: the tutorial, section 3
    (which wrote each word as a bytes literal, `b'word'`; here it is the word itself)."""
    return "".join(f"{' '.join(words[i : i + 20])}\n" for i in range(0, len(words), 20))
