"""A variant while it reads a text, one word at a time: each matrix's input, each part's output."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.quantization.pytorch import PyTorchModel
from wlm.text.vocabulary import Vocabulary

DECODER_WEIGHT = "decoder.weight"


@dataclass(frozen=True)
class Reading:
    """A text as a variant read it: the embedded words (N, E), and the hidden states (N + 1, L, H)
    of all layers, before the first word and after every word."""

    embedded: Tensor
    hidden: Tensor

    def input(self, matrix: str, at: int) -> Tensor:
        """Return the input of a matrix, by its name in the fp32 state_dict, at a word, from 0."""
        if matrix == DECODER_WEIGHT:
            return self.hidden[at + 1, -1]
        layer = int(matrix.rpartition("_l")[2])
        if "_hh_" in matrix:
            return self.hidden[at, layer]
        return self.hidden[at + 1, layer - 1] if layer else self.embedded[at]

    def ranges(self, matrix: str) -> list[tuple[float, float]]:
        """Return the lowest and highest value of a matrix's input at every word."""
        inputs = torch.stack([self.input(matrix, at) for at in range(len(self.embedded))])
        return list(zip(inputs.amin(1).tolist(), inputs.amax(1).tolist(), strict=True))


def read(model: PyTorchModel, ids: Tensor) -> Reading:
    """Read word ids (N,) from a zero state, one at a time, as a variant does when it
    writes a text."""
    modules, hidden = model.modules(), model.init_hidden(1)
    embedded, states = [], [hidden[0][:, 0]]
    with torch.inference_mode():
        for id in ids:
            word = modules.embedding(id.view(1, 1))  # (1, 1, E)
            _, hidden = modules.lstm(word, hidden)
            embedded.append(word[0, 0])
            states.append(hidden[0][:, 0])
    return Reading(torch.stack(embedded), torch.stack(states))


def logits(model: PyTorchModel, reading: Reading, at: int) -> Tensor:
    """Return a variant's logits (V,) for the word after word number `at`."""
    with torch.inference_mode():
        return model.modules().decoder(reading.input(DECODER_WEIGHT, at).view(1, 1, -1))[0, 0]


@dataclass(frozen=True)
class Flow:
    """A word, its id, the output of embedding and every LSTM layer, by part, and the likeliest next
    words with their probabilities, likeliest first."""

    word: str
    id: int
    values: dict[str, tuple[float, ...]]
    next_words: tuple[tuple[str, float], ...]


def flow(model: PyTorchModel, vocabulary: Vocabulary, words: Sequence[str], count: int = 5) -> Flow:
    """Return the last word on its way through a variant that has read the words before it. Raises
    TextError."""
    ids = vocabulary.encode(words)
    reading, at = read(model, ids), len(ids) - 1
    stages = [reading.embedded[at], *reading.hidden[at + 1]]
    given = logits(model, reading, at).double().softmax(0)
    likely = given.topk(min(count, len(vocabulary)))
    return Flow(
        vocabulary.words[int(ids[at])],
        int(ids[at]),
        {
            part: tuple(output.tolist())
            for part, output in zip(model.config.parts()[:-1], stages, strict=True)
        },
        tuple(
            (vocabulary.words[id], share)
            for id, share in zip(likely.indices.tolist(), likely.values.tolist(), strict=True)
        ),
    )
