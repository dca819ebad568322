"""How far models differ, word by word, while all of them read the same text.

Distributions are taken after banned words and temperature, before top-k and top-p: these may keep a
word for one model alone, and the divergence would be infinite.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.quantization.variant import Variant
from wlm.sampling.filters import Filter
from wlm.sampling.words import SampleSettings, beginning
from wlm.text.vocabulary import Vocabulary

CHUNK = 25  # words whose distributions are in memory at once, 33,278 numbers each


@dataclass(frozen=True)
class WordDivergence:
    """One word of a text: its probability under each model, and the Kullback-Leibler divergence of
    each model's distribution at its place from the first model's, in nats."""

    probabilities: tuple[float, ...]
    kl: tuple[float, ...]


@dataclass(frozen=True)
class Reader:
    """A model that reads a text, and the number of words that it reads at once.

    Dynamic int8 takes the range of activations over its whole input, so it reads one word at a
    time, as in writing. fp32 gives the same results either way and is much faster in chunks.
    """

    model: object
    at_once: int = 1

    @classmethod
    def of(cls, model, variant: Variant) -> "Reader":
        """Return a reader of a variant's model."""
        return cls(model, CHUNK if variant == Variant() else 1)

    @torch.inference_mode()
    def begin(self, start: Tensor) -> tuple[Tensor, object]:
        """Return logits (1, V) after a prompt (T, 1), read at once as `sample_words` reads it, and
        the hidden state."""
        output, hidden = self.model(start, self.model.init_hidden(1))
        return output[-1:, 0], hidden

    @torch.inference_mode()
    def read(self, ids: Tensor, hidden) -> tuple[Tensor, object]:
        """Return logits (T, V) after each of the ids (T,), and the hidden state after the last."""
        logits = []
        for part in ids.view(-1, 1).split(self.at_once):
            output, hidden = self.model(part, hidden)
            logits.append(output[:, 0])
        return torch.cat(logits), hidden


def divergences(
    readers: Sequence[Reader],
    vocabulary: Vocabulary,
    settings: SampleSettings,
    ids: Sequence[int],
) -> Iterator[WordDivergence]:
    """Yield for each word of a text, drawn with the settings, how the readers' distributions at its
    place differ from the first reader's. All of them read this one text. Raises TextError."""
    start, _ = beginning(vocabulary, settings)
    filters = settings.weighting(vocabulary)
    after, hidden = map(list, zip(*(reader.begin(start) for reader in readers), strict=True))
    for chosen in torch.tensor(ids, dtype=torch.int64).split(CHUNK):
        logs = []
        for i, reader in enumerate(readers):
            logits, hidden[i] = reader.read(chosen, hidden[i])
            # A word's distribution is the one after the word before it.
            logs.append(_log_probabilities(torch.cat([after[i], logits[:-1]]), filters))
            after[i] = logits[-1:]
        kl = torch.stack([kl_divergence(logs[0], other) for other in logs])  # (models, T)
        given = torch.stack([log.gather(1, chosen[:, None])[:, 0] for log in logs]).exp()
        for t in range(len(chosen)):
            yield WordDivergence(tuple(given[:, t].tolist()), tuple(kl[:, t].tolist()))


def next_word(
    reader: Reader,
    vocabulary: Vocabulary,
    settings: SampleSettings,
    ids: Sequence[int],
) -> Tensor:
    """Return a reader's raw logits (V,) for the word after a text begun with the settings."""
    start, _ = beginning(vocabulary, settings)
    logits, hidden = reader.begin(start)
    if len(ids):
        for part in torch.tensor(ids, dtype=torch.int64).split(CHUNK):
            logits, hidden = reader.read(part, hidden)
    return logits[-1]


def probabilities(logits: Tensor, filters: Sequence[Filter]) -> Tensor:
    """Return what filters make of logits (…, V), as probabilities in float64."""
    return _log_probabilities(logits, filters).exp()


def entropy(probabilities: Tensor) -> float:
    """Return the entropy of probabilities (V,) in nats; its exponential is the number of equally
    likely words that would be as uncertain. Source: Shannon 1948."""
    return float(torch.special.entr(probabilities).sum())


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of q from p in nats, (T,), from logarithms (T, V).

    Words that p leaves out add nothing, whatever q gives them.
    """
    terms = torch.where(log_p == -math.inf, 0.0, log_p.exp() * (log_p - log_q))
    return terms.sum(-1).clamp(min=0.0)  # rounding may leave a little less than nothing


def _log_probabilities(logits: Tensor, filters: Sequence[Filter]) -> Tensor:
    for filter in filters:
        logits = filter(logits)
    return logits.double().log_softmax(-1)
