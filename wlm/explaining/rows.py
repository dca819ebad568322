"""A weight becomes an integer: one row of a matrix on its grid."""

from dataclasses import dataclass

from torch import Tensor

from wlm.inspecting.weight_error import grid_of, sqnr_db

HALF = 127.5  # steps from 0 to the largest weight: half of the 255 between -128 and 127


@dataclass(frozen=True)
class RoundedRow:
    """A row of a weight matrix as floats and as the integers that are stored: weight ≈ integer x
    step.

    `largest` is the largest weight that shares the step, without its sign, `largest_row` where it
    is; the noise is the row's, in decibels, at this step and at one of its own.
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
        """How many neighbouring levels of the 256 the row spans."""
        return max(self.integers) - min(self.integers) + 1

    def error(self, column: int) -> float:
        """Return what is stored of a weight less the weight."""
        return self.integers[column] * self.step - self.weights[column]


def rounded_row(weights: Tensor, stored: Tensor, row: int) -> RoundedRow:
    """Return a row of fp32 weights (R, C) beside what a variant stores, symmetric int8."""
    grid, whole = grid_of(stored), weights[row]
    step = float(grid.step[row if grid.by_row else 0])
    sharing = whole.abs().max() if grid.by_row else weights.abs().max()
    own_step = float(whole.abs().max()) / HALF
    own = to_integers(whole, own_step or 1.0) * own_step
    integers = stored.int_repr()[row]
    return RoundedRow(
        row,
        tuple(whole.tolist()),
        tuple(integers.tolist()),
        step,
        float(sharing),
        row if grid.by_row else int(weights.abs().amax(1).argmax()),
        sqnr_db(whole, integers * step),
        own_step,
        sqnr_db(whole, own),
    )


def to_integers(weights: Tensor, step: float | Tensor, bits: int = 8) -> Tensor:
    """Return weights in whole steps, as floats, cut off at the ends of a signed integer."""
    half = 2 ** (bits - 1)
    # As PyTorch does it: a division would round some of those halfway between two to the other.
    return (weights * (1 / step)).round().clamp(-half, half - 1)
