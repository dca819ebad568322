"""All that the explanations say of one word: what a row of a matrix makes of its input."""

from dataclasses import dataclass

import torch

from wlm.explaining.inputs import InputGrid, grid_of_input
from wlm.explaining.products import IntegerSum, integer_sum
from wlm.explaining.reading import Reading, logits
from wlm.explaining.rows import RoundedRow, rounded_row
from wlm.quantization.pytorch import PyTorchModel
from wlm.sampling.candidates import Candidate, race
from wlm.sampling.draws import race_numbers
from wlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class WordAt:
    """A row of a variant's matrix and its input at one word: both as integers, their sum, what
    PyTorch itself makes of them, and what fp32, which has read the same words, has in its place."""

    row: RoundedRow
    grid: InputGrid
    input: tuple[float, ...]
    sum: IntegerSum
    pytorch: float
    fp32: float


def word_at(
    fp32: tuple[PyTorchModel, Reading],
    int8: tuple[PyTorchModel, Reading],
    matrix: str,
    row: int,
    at: int,
    highest: int,
) -> WordAt:
    """Return what a row of a matrix, by its name in the fp32 state_dict, makes of its input at a
    word, from 0; both models come with what they have read. `highest`: see `highest_level`."""
    (whole, before), (model, reading) = fp32, int8
    input = reading.input(matrix, at)
    rounded = rounded_row(whole.matrices()[matrix], model.matrices()[matrix], row)
    grid = grid_of_input(input, highest)
    bias = float(model.biases()[matrix.replace("weight", "bias")][row])
    return WordAt(
        rounded,
        grid,
        tuple(input.tolist()),
        integer_sum(rounded, grid, input, bias),
        float(model.multiplied(matrix, input)[row]),
        float(whole.multiplied(matrix, before.input(matrix, at))[row]),
    )


def next_words(
    models: list[tuple[PyTorchModel, Reading]], vocabulary: Vocabulary, at: int, seed: int = 1
) -> list[Candidate]:
    """Return the ten likeliest words after one that the models have read, and what each draws: a
    place has numbers of its own, the same for all models."""
    given = torch.stack([logits(*each, at).double().softmax(0) for each in models])
    generator = torch.Generator().manual_seed(seed + at)
    return race(given, race_numbers(len(vocabulary), generator), vocabulary)
