"""One draw in detail: the candidates, and which of them arrives first."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.sampling.divergence import Reader, next_word, probabilities
from wlm.sampling.draws import arrival_numbers
from wlm.sampling.words import SampleSettings, beginning
from wlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Candidate:
    """A word at one place of a text: its probability under each model, the number drawn for it,
    and its arrival time under each model, -ln(number) / probability. A model writes the word that
    arrives first."""

    word: str
    probabilities: tuple[float, ...]
    number: float
    arrivals: tuple[float, ...]


def candidates(
    readers: Sequence[Reader],
    vocabulary: Vocabulary,
    settings: SampleSettings,
    ids: Sequence[int],
    count: int = 10,
) -> list[Candidate]:
    """Return the likeliest words after a text begun with the settings, see `likeliest`.

    All filters of the settings apply; `draw_first_arrival` uses the same numbers at this place.
    Raises TextError.
    """
    _, generator = beginning(vocabulary, settings)
    for _ in range(len(ids) + 1):
        numbers = arrival_numbers(len(vocabulary), generator)
    filters = settings.filters(vocabulary)
    logits = torch.stack([next_word(reader, vocabulary, settings, ids) for reader in readers])
    given = torch.stack([probabilities(values, filters) for values in logits])  # (models, V)
    return likeliest(given, numbers, vocabulary, count)


def likeliest(
    given: Tensor, numbers: Tensor, vocabulary: Vocabulary, count: int = 10
) -> list[Candidate]:
    """Return the `count` likeliest words of probabilities (models, V), by their mean over models,
    with their arrival times for the drawn numbers (V,).

    A word that a model writes comes last if it is not among the likeliest.
    """
    arrivals = -numbers.log() / given
    order = given.mean(0).topk(min(count, len(vocabulary))).indices.tolist()
    written = [id for id in arrivals.argmin(1).tolist() if id not in order]
    return [
        Candidate(
            vocabulary.words[id],
            tuple(given[:, id].tolist()),
            float(numbers[id]),
            tuple(arrivals[:, id].tolist()),
        )
        for id in dict.fromkeys([*order, *written])
    ]
