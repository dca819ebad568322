"""The rounding of a weight matrix: its grid, its noise, and the largest errors."""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from wlm.model.int4 import HIGHEST, LOWEST, Int4Matrix
from wlm.model.quantized import scales_of
from wlm.quantization.prepare import PreparedModel
from wlm.weights.checkpoint import Checkpoint

GATES = ("input", "forget", "cell", "output")  # in the order of PyTorch's LSTM
MOST_LARGEST = 5
FINE_BINS = 8  # a step, in the histogram near the middle
FINE_LEVELS = 10  # that it reaches to either side


@dataclass(frozen=True)
class Grid:
    """The numbers that a quantized matrix can hold: (level - zero point) x step for each level
    from `lowest` to `highest`. step and zero point: one per row (R, 1), or one for all rows (1, 1);
    for an Int4Matrix, a step per number (R, C)."""

    step: Tensor
    zero_point: Tensor
    lowest: int
    highest: int

    @property
    def by_row(self) -> bool:
        """Tell whether every row or block has a separate step."""
        return self.step.numel() > 1

    @property
    def count(self) -> int:
        """The number of levels."""
        return self.highest - self.lowest + 1

    def levels(self, weights: Tensor) -> Tensor:
        """Return weights in levels: the matrix holds the whole numbers."""
        return weights / self.step + self.zero_point


@dataclass(frozen=True)
class LargeError:
    """A weight with a large error: its row and column, its fp32 value, and the stored value."""

    row: int
    column: int
    weight: float
    stored: float


@dataclass(frozen=True)
class WeightError:
    """A matrix's rounding: its name in the state_dict and shape; the step of its grid (the
    smallest and the largest of its rows', None without a grid); signal-to-quantization-noise
    ratio in decibels (infinite where nothing changed); how many levels it has, and how many hold
    99% of its weights; and the largest errors."""

    matrix: str
    shape: tuple[int, int]
    step: tuple[float, float] | None
    by_row: bool
    sqnr_db: float
    levels: int | None
    levels_99: int | None
    largest: list[LargeError]

    def to_json(self) -> dict:
        """Return it as plain JSON; an infinite ratio is null."""
        finite = math.isfinite(self.sqnr_db)
        return {**asdict(self), "sqnr_db": self.sqnr_db if finite else None}


@dataclass(frozen=True)
class Histogram:
    """Counts of weights in bins of one width from `start` on; grid: the numbers that the matrix can
    hold in that range. Units: the weights', or levels if every row has its own step."""

    start: float
    width: float
    counts: list[int]
    grid: list[float]
    in_levels: bool


def row_label(matrix: str, row: int, checkpoint: Checkpoint) -> str:
    """Return the meaning of a row of a weight matrix: a word, or a gate of an LSTM's unit."""
    if not matrix.startswith("rnn."):
        return checkpoint.vocabulary.words[row]
    units = checkpoint.model.config.nhid
    return f"{GATES[row // units]} gate of unit {row % units}"


def sqnr_db(signal: Tensor, stored: Tensor) -> float:
    """Return the signal-to-quantization-noise ratio 10 log10(sum x² / sum (x - x')²) in decibels.

    Infinite if the two are equal; 6.02 dB are one bit.
    """
    noise = torch.linalg.vector_norm(signal - stored, dtype=torch.float64)
    power = torch.linalg.vector_norm(signal, dtype=torch.float64)
    return math.inf if noise == 0 else float(20 * torch.log10(power / noise))


def grid_of(stored: Tensor | Int4Matrix) -> Grid | None:
    """Return the grid of a quantized matrix, None for floats."""
    if not stored.is_quantized:
        return None
    if isinstance(stored, Int4Matrix):
        return Grid(stored.step, torch.zeros(1, 1), LOWEST, HIGHEST)
    limits = torch.iinfo(stored.dtype)
    step, zero = (values.float().view(-1, 1) for values in scales_of(stored))
    return Grid(step, zero, limits.min, limits.max)


def weight_errors(fp32: PreparedModel, variant: PreparedModel) -> list[WeightError]:
    """Return the rounding error of every weight matrix of a variant of a model."""
    stored = variant.matrices()
    return [weight_error(name, weights, stored[name]) for name, weights in fp32.matrices().items()]


def weight_error(name: str, weights: Tensor, stored: Tensor | Int4Matrix) -> WeightError:
    """Return the rounding error of one matrix (R, C): fp32 weights, and what a variant stores."""
    grid = grid_of(stored)
    values = stored.dequantize() if stored.is_quantized else stored
    errors = (weights - values).abs().flatten()
    worst = errors.topk(min(MOST_LARGEST, errors.numel())).indices.tolist()
    columns = weights.size(1)
    return WeightError(
        matrix=name,
        shape=tuple(weights.shape),
        step=(float(grid.step.min()), float(grid.step.max())) if grid else None,
        by_row=bool(grid and grid.by_row),
        sqnr_db=sqnr_db(weights, values),
        levels=grid.count if grid else None,
        levels_99=_levels_of_most(stored) if grid else None,
        largest=[
            LargeError(
                i // columns, i % columns, float(weights.flatten()[i]), float(values.flatten()[i])
            )
            for i in worst
            if errors[i] > 0
        ],
    )


def histogram(weights: Tensor, stored: Tensor | Int4Matrix, *, fine: bool = False) -> Histogram:
    """Return the histogram of fp32 weights over the grid of what a variant stores.

    One bin a level over all of the grid or, if fine, 8 bins a step for the 10 levels to either
    side of its middle. Floats have no grid: 256 bins over all of them or, if fine, over the
    middle twelfth.
    """
    grid = grid_of(stored)
    if grid is None:
        reach = float(weights.abs().max()) * (1 / 12 if fine else 1.0)
        return Histogram(-reach, reach / 128, _counts(weights, -reach, reach, 256), [], False)
    middle = (grid.lowest + grid.highest + 1) // 2
    low, high = grid.lowest, grid.highest
    if fine:
        low, high = max(low, middle - FINE_LEVELS), min(high, middle + FINE_LEVELS)
    bins = (high - low + 1) * (FINE_BINS if fine else 1)
    counts = _counts(grid.levels(weights), low - 0.5, high + 0.5, bins)
    unit, zero = (1.0, 0.0) if grid.by_row else (float(grid.step), float(grid.zero_point))
    return Histogram(
        start=(low - 0.5 - zero) * unit,
        width=unit / (FINE_BINS if fine else 1),
        counts=counts,
        grid=[(level - zero) * unit for level in range(low, high + 1)],
        in_levels=grid.by_row,
    )


def _counts(values: Tensor, low: float, high: float, bins: int) -> list[int]:
    # Values outside are left out: clipped weights, or weights outside of a fine histogram.
    return torch.histc(values, bins, low, high).int().tolist()


def _levels_of_most(stored: Tensor | Int4Matrix) -> int:
    """Return the number of levels that hold 99% of the weights, the fullest levels first."""
    levels = stored.int_repr().flatten().int()
    fullest = torch.bincount(levels - int(levels.min())).sort(descending=True).values.cumsum(0)
    return int((fullest < 0.99 * levels.numel()).sum()) + 1
