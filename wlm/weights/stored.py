"""Tensors in a file that are described but not yet read."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wlm.errors import CheckpointError, shown

QUANTIZED = (torch.qint8, torch.quint8)


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor in a file: its shape and dtype, how to read it, the place of its numbers, and how
    many numbers that place has. Two tensors with the same place have the same numbers. `read`
    raises CheckpointError."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], Tensor]
    place: object
    held: int

    @property
    def count(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def is_quantized(self) -> bool:
        """Whether it is a matrix of integers with scales and zero points."""
        return self.dtype in QUANTIZED


def are_sizes(*numbers: object) -> bool:
    """Tell whether all are whole numbers that a file may give for a size or a place."""
    return all(type(number) is int and 0 <= number < 2**62 for number in numbers)


def damaged(path: Path, kind: str, error: object) -> CheckpointError:
    """Return the error for a file of weights that cannot be read as a file of this kind."""
    return CheckpointError(
        f"the weights {str(path)!r} are damaged or no {kind} file: {shown(error)}"
    )
