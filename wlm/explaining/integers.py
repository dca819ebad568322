"""A row of a matrix times its input in integers, at one word, as dynamic quantization computes it.

The row is on a fixed grid. The input's minimum and maximum at the word make the input's grid.
"""

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from wlm.explaining.reading import Reading, logits
from wlm.inspecting.weight_error import grid_of, sqnr_db
from wlm.quantization.engines import default_engine
from wlm.quantization.pytorch import PyTorchModel
from wlm.sampling.candidates import Candidate, likeliest
from wlm.sampling.draws import arrival_numbers
from wlm.text.vocabulary import Vocabulary

HALF = 127.5  # steps from 0 to the largest weight: half of the 255 between -128 and 127
SMALLEST_STEP = 6.1e-5  # PyTorch raises smaller steps to this
STEP_OF_ZEROS = 0.1  # PyTorch's step if all inputs are 0


@dataclass(frozen=True)
class RoundedRow:
    """A row of a weight matrix as floats and as the stored integers: weight ≈ integer x step.

    largest: the absolute value of the largest weight that shares the step; largest_row: its row.
    sqnr_db: the row's signal-to-noise ratio in decibels at this step; own_sqnr_db: at `own_step`,
    the step for the row alone.
    """

    row: int
    weights: tuple[float, ...]
    integers: tuple[int, ...]
    step: float
    largest: float
    largest_row: int
    sqnr_db: float
    own_step: float
    own_sqnr_db: float

    @property
    def levels_used(self) -> int:
        """The number of neighboring levels of the 256 that the row spans."""
        return max(self.integers) - min(self.integers) + 1

    def error(self, column: int) -> float:
        """Return a column's stored weight minus its fp32 weight."""
        return self.integers[column] * self.step - self.weights[column]


def rounded_row(weights: Tensor, stored: Tensor, row: int) -> RoundedRow:
    """Return a row of fp32 weights (R, C) and of a variant's matrix, symmetric int8."""
    grid, whole = grid_of(stored), weights[row]
    step = float(grid.step[row if grid.by_row else 0])
    sharing = weights[row : row + 1] if grid.by_row else weights
    largest = sharing.abs().amax(1)
    own_step = float(whole.abs().max()) / HALF
    integers = stored.int_repr()[row]
    return RoundedRow(
        row,
        tuple(whole.tolist()),
        tuple(integers.tolist()),
        step,
        float(largest.max()),
        row if grid.by_row else int(largest.argmax()),
        sqnr_db(whole, integers * step),
        own_step,
        sqnr_db(whole, to_integers(whole, own_step or 1.0) * own_step),
    )


def to_integers(weights: Tensor, step: float | Tensor, bits: int = 8) -> Tensor:
    """Return weights in whole steps, as floats, limited to a signed integer's range."""
    half = 2 ** (bits - 1)
    # PyTorch multiplies by 1 / step. A division would round some ties to the other side.
    return (weights * (1 / step)).round().clamp(-half, half - 1)


@dataclass(frozen=True)
class InputGrid:
    """The grid of one input: value ≈ (integer - zero point) x step, for integers from 0 to
    `highest`. low, high: the range that made the grid, which includes 0."""

    low: float
    high: float
    step: float
    zero_point: int
    highest: int

    def integers(self, values: Tensor) -> Tensor:
        """Return values as integers, in floats. If both ends round outward, the highest is one
        above `highest`."""
        return ((values * (1 / torch.tensor(self.step))).round() + self.zero_point).clamp(0, 255)

    def ticks(self) -> list[float]:
        """Return the values that the grid can hold."""
        return [(level - self.zero_point) * self.step for level in range(self.highest + 1)]

    def outside(self, values: Tensor) -> int:
        """Return the number of values outside the range, which a fixed grid would clip."""
        return int(((values < self.low) | (values > self.high)).sum())


def highest_level(engine: str = "") -> int:
    """Return the highest integer of an engine's inputs: 127, or 255 on qnnpack. Without a name:
    this machine's default engine."""
    # Most engines leave the eighth bit free: their instructions add two products in 16 bits.
    return 255 if (engine or default_engine()) == "qnnpack" else 127


def grid_between(low: float, high: float, highest: int) -> InputGrid:
    """Return the grid of values from `low` to `high`.

    Source: PyTorch 2.13, ChooseQuantizationParams in aten/src/ATen/native/quantized/cpu.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / highest
    if step == 0.0:
        return InputGrid(low, high, STEP_OF_ZEROS, 0, highest)
    in_32_bits = float(torch.tensor(max(step, SMALLEST_STEP)))
    return InputGrid(low, high, in_32_bits, round(-low / step), highest)


@dataclass(frozen=True)
class IntegerSum:
    """A row of integers times an input of integers, and the numbers that make the sum a float."""

    weights: tuple[int, ...]
    inputs: tuple[int, ...]
    weight_step: float
    input_step: float
    zero_point: int
    bias: float

    @property
    def products(self) -> list[int]:
        """The product of each column."""
        return [w * x for w, x in zip(self.weights, self.inputs, strict=True)]

    @property
    def running(self) -> list[int]:
        """The sum up to each column, as int32 holds it."""
        return list(accumulate(self.products))

    @property
    def total(self) -> int:
        """The sum of all products."""
        return sum(self.products)

    @property
    def correction(self) -> int:
        """The share of the sum that comes from the inputs' zero point, to be subtracted."""
        return self.zero_point * sum(self.weights)

    @property
    def value(self) -> float:
        """The layer's output: a logit, or one product of a gate."""
        return (self.total - self.correction) * self.weight_step * self.input_step + self.bias


@dataclass(frozen=True)
class WordAt:
    """A row of a variant's matrix and its input at one word: both as integers, their sum,
    PyTorch's own result, and the result of fp32, which has read the same words."""

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
) -> WordAt:
    """Return a row of a matrix times its input at a word.

    fp32, int8: the models and the words they have read; matrix: its name in the fp32 state_dict;
    at: the word's number, from 0.
    """
    (whole, before), (model, reading) = fp32, int8
    input = reading.input(matrix, at)
    rounded = rounded_row(whole.matrices()[matrix], model.matrices()[matrix], row)
    low, high = float(input.min()), float(input.max())
    grid = grid_between(low, high, highest_level(model.engine))
    integers = tuple(map(int, grid.integers(input).tolist()))
    bias = float(model.numbers()[matrix.replace("weight", "bias")][row])
    return WordAt(
        rounded,
        grid,
        tuple(input.tolist()),
        IntegerSum(rounded.integers, integers, rounded.step, grid.step, grid.zero_point, bias),
        float(model.multiplied(matrix, input)[row]),
        float(whole.multiplied(matrix, before.input(matrix, at))[row]),
    )


def next_words(
    models: list[tuple[PyTorchModel, Reading]], vocabulary: Vocabulary, at: int
) -> list[Candidate]:
    """Return the ten likeliest words after word number `at`, and the numbers that each model draws.
    `at` fixes the random numbers, which are the same for all models."""
    given = torch.stack([logits(*model, at).double().softmax(0) for model in models])
    generator = torch.Generator().manual_seed(1 + at)
    return likeliest(given, arrival_numbers(len(vocabulary), generator), vocabulary)
