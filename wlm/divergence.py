"""How far models differ, word by word, while all of them read the same text.

A distribution here is the one after banned words and temperature, before top-k and top-p: those
leave some words to one model alone, and the divergence would be infinite.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.corpus import Vocabulary
from wlm.sample import Filter, SampleSettings, beginning
from wlm.variant import Variant

CHUNK = 25  # words whose distributions are in memory at once, 33,278 numbers each


@dataclass(frozen=True)
class WordDivergence:
    """One word of a text: its probability under each model, and what each model's distribution at
    its place is away from the first model's, in nats (Kullback-Leibler divergence)."""

    probabilities: tuple[float, ...]
    kl: tuple[float, ...]


@dataclass(frozen=True)
class Reader:
    """A model that reads, and how many words it may be given at once.

    Dynamic int8 takes the range of activations over all that it is given, so it reads one word at
    a time, as when it writes; fp32 gives the same either way and is much quicker in chunks.
    """

    model: object
    at_once: int = 1

    @classmethod
    def of(cls, model, variant: Variant) -> "Reader":
        """Return a reader of a variant's model."""
        return cls(model, CHUNK if variant == Variant() else 1)

    @torch.inference_mode()
    def read(self, ids: Tensor, hidden=None) -> tuple[Tensor, object]:
        """Return logits (T, V) after each of the ids (T,), and the hidden state after the last."""
        hidden = self.model.init_hidden(1) if hidden is None else hidden
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
    read = torch.cat([start[:, 0], torch.tensor(ids, dtype=torch.int64)])
    skipped, hidden = len(start) - 1, [None] * len(readers)
    filters = settings.weighting(vocabulary)
    for first in range(0, len(read) - 1, CHUNK):
        inputs, next_ids = read[first : first + CHUNK], read[first + 1 : first + 1 + CHUNK]
        inputs = inputs[: len(next_ids)]
        logs = []
        for i, reader in enumerate(readers):
            logits, hidden[i] = reader.read(inputs, hidden[i])
            logs.append(_log_probabilities(logits, filters))
        kl = torch.stack([kl_divergence(logs[0], each) for each in logs])  # (models, T)
        chosen = torch.stack([each.gather(1, next_ids[:, None])[:, 0] for each in logs]).exp()
        for t in range(max(0, skipped - first), len(inputs)):
            yield WordDivergence(tuple(chosen[:, t].tolist()), tuple(kl[:, t].tolist()))


def next_word(
    reader: Reader,
    vocabulary: Vocabulary,
    settings: SampleSettings,
    ids: Sequence[int],
) -> Tensor:
    """Return a reader's raw logits (V,) for the word after a text begun with the settings."""
    start, _ = beginning(vocabulary, settings)
    read, hidden = torch.cat([start[:, 0], torch.tensor(ids, dtype=torch.int64)]), None
    for part in read.split(CHUNK):
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
    for each in filters:
        logits = each(logits)
    return logits.double().log_softmax(-1)
