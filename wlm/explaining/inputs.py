"""An input becomes an integer on the fly: its own minimum and maximum make its grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.quantization.engines import default_engine

SMALLEST_STEP = 6.1e-5  # smaller ones PyTorch raises to this
STEP_OF_ZEROS = 0.1  # what PyTorch takes where all inputs are 0
# Levels above 0 by engine. The others leave the eighth bit free: their instructions add two
# products in 16 bits.
_HIGHEST, _HIGHEST_OF = 127, {"qnnpack": 255}


@dataclass(frozen=True)
class InputGrid:
    """The grid of one input: value ≈ (integer - zero point) x step, for integers from 0 to
    `highest`. `low` and `high` are the ends that made it, 0 between them."""

    low: float
    high: float
    step: float
    zero_point: int
    highest: int

    def integers(self, values: Tensor) -> Tensor:
        """Return values as integers, as floats; rounded at both ends they may be one above."""
        return ((values * (1 / torch.tensor(self.step))).round() + self.zero_point).clamp(0, 255)

    def ticks(self) -> list[float]:
        """Return the values that the grid can hold."""
        return [(each - self.zero_point) * self.step for each in range(self.highest + 1)]

    def outside(self, values: Tensor) -> int:
        """Return how many of some values lie beyond the ends: a fixed grid would cut them off."""
        return int(((values < self.low) | (values > self.high)).sum())


def highest_level(engine: str = "") -> int:
    """Return the highest integer that an engine's inputs get, 7 bits, or 8 on qnnpack; without a
    name, the default engine of this machine."""
    return _HIGHEST_OF.get(engine or default_engine(), _HIGHEST)


def grid_between(low: float, high: float, highest: int) -> InputGrid:
    """Return the grid of values from `low` to `high`.

    Source: PyTorch 2.13, ChooseQuantizationParams in aten/src/ATen/native/quantized/cpu.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / highest
    if step == 0.0:
        return InputGrid(low, high, STEP_OF_ZEROS, 0, highest)
    as_held = float(torch.tensor(max(step, SMALLEST_STEP)))  # in 32 bits
    return InputGrid(low, high, as_held, round(-low / step), highest)


def grid_of_input(values: Tensor, highest: int) -> InputGrid:
    """Return the grid that dynamic quantization makes for an input (C,)."""
    return grid_between(float(values.min()), float(values.max()), highest)
