"""Matrices of 4-bit integers with one scale per block of numbers, packed as in ONNX Runtime.

An integer q, from LOWEST to HIGHEST, means the number q * scale. In a file it is a nibble, q +
OFFSET, two per byte, the first in the lower half.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# Blocks of 16, 32, 64 and 128 numbers raised the bundled model's loss by 0.04, 0.05, 0.08 and 0.08
# nats, in 19, 16, 14 and 14 MB, by benchmarks/int4_blocks.py. Adding zero points gained
# nothing at 32; with them blocks of 64 would lose as little and save 1.4 MB, for a third array.
BLOCK = 32
LOWEST, HIGHEST, OFFSET, LEVELS = -8, 7, 8, 16


@dataclass(frozen=True, eq=False)
class Int4Matrix:
    """A matrix (R, C) of integers, int8 in memory, with one float scale per block of a row's
    numbers: (R, ceil(C / BLOCK)). It has the methods of PyTorch's quantized tensors, which do not
    support such scales."""

    values: Tensor
    scales: Tensor
    is_quantized = True

    @property
    def shape(self) -> torch.Size:
        return self.values.shape

    @property
    def step(self) -> Tensor:
        """The scale of each number (R, C)."""
        return self.scales.repeat_interleave(BLOCK, 1)[:, : self.shape[1]]

    def int_repr(self) -> Tensor:
        """Return the integers as int8."""
        return self.values

    def dequantize(self) -> Tensor:
        """Return the numbers that the integers mean, as floats."""
        return self.values * self.step


def in_int4(weights: Tensor) -> Int4Matrix:
    """Round a matrix (R, C): each block's largest number becomes 7 or -7."""
    rows, columns = weights.shape
    padded = F.pad(weights, (0, -columns % BLOCK)).view(rows, -1, BLOCK)
    scales = padded.abs().amax(2) / HIGHEST
    scales = torch.where(scales > 0, scales, 1.0)  # zeros, or too small for any float a seventh
    values = (padded / scales.unsqueeze(2)).round().clamp(-HIGHEST, HIGHEST).to(torch.int8)
    return Int4Matrix(values.view(rows, -1)[:, :columns].contiguous(), scales)


def pack(values: Tensor, multiple: int) -> Tensor:
    """Return integers (R, C) as bytes (R, N / 2), C filled up with zeros to N, the next multiple of
    an even number."""
    nibbles = F.pad(values, (0, -values.shape[1] % multiple)).add(OFFSET).to(torch.uint8)
    return nibbles[:, ::2] | (nibbles[:, 1::2] << 4)


def unpack(packed: Tensor, columns: int) -> Tensor:
    """Return the integers (R, columns) of bytes, int8."""
    nibbles = torch.stack([packed & 15, packed >> 4], 2).flatten(1)[:, :columns]
    return nibbles.to(torch.int8).sub(OFFSET).contiguous()
