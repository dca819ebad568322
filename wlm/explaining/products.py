"""A row times an input in integers: the products add up, and scales turn the sum into a float."""

from dataclasses import dataclass
from itertools import accumulate

from torch import Tensor

from wlm.explaining.inputs import InputGrid
from wlm.explaining.rows import RoundedRow


@dataclass(frozen=True)
class IntegerSum:
    """A row of integers times an input of integers, and what makes a float of it."""

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
        """What the zero point has added to every input, times the weights: to be taken off."""
        return self.zero_point * sum(self.weights)

    @property
    def value(self) -> float:
        """The float that the layer hands on: a logit, or a gate's share."""
        return (self.total - self.correction) * self.weight_step * self.input_step + self.bias


def integer_sum(row: RoundedRow, grid: InputGrid, values: Tensor, bias: float) -> IntegerSum:
    """Return a row times an input (C,) on its grid."""
    inputs = tuple(int(each) for each in grid.integers(values).tolist())
    return IntegerSum(row.integers, inputs, row.step, grid.step, grid.zero_point, bias)
