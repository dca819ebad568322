"""Matrices of integers with their scales and zero points.

What an integer q stands for is (q - zero_point) * scale, with one scale and zero point for a whole
matrix or one for each of its rows.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from wlm.errors import CheckpointError
from wlm.model.blocks import Blocks
from wlm.model.stored import Stored

SCALE, ZERO_POINT = ".scale", ".zero_point"  # what their arrays' names add to the matrix's
INTEGERS = {torch.int8: torch.qint8, torch.uint8: torch.quint8}
_PER_TENSOR = (torch.per_tensor_affine, torch.per_tensor_symmetric)


def quantized(integers: Stored, scale: float | Stored, zero_point: int | Stored) -> Stored:
    """Return a stored matrix (R, C) of int8 or uint8 as the quantized tensor that it is.

    Scale and zero point are numbers or have the shape () for the whole matrix, else they have R
    numbers; zero points may be floats, as in PyTorch's embeddings. Reading raises CheckpointError
    where they are of no use.
    """
    by_row = isinstance(scale, Stored) and scale.shape != ()

    def read() -> Tensor:
        values = integers.read()
        scales, zeros = _numbers(scale), _numbers(zero_point)
        rows = integers.shape[0] if by_row else 1
        if not len(scales) == len(zeros) == rows or not _are_usable(scales, zeros, values.dtype):
            raise CheckpointError(
                f"a matrix of {'x'.join(map(str, integers.shape))} integers must have {rows} "
                f"positive scales and as many zero points in the integers' range, got "
                f"{len(scales)} and {len(zeros)}, or others"
            )
        return quantized_tensor(values, scales, zeros, by_row)

    return replace(integers, dtype=INTEGERS[integers.dtype], read=read)


def quantized_tensor(values: Tensor, scales: Tensor, zeros: Tensor, by_row: bool) -> Tensor:
    """Return integers (R, C) as a quantized tensor, with R scales and zero points or with one."""
    with warnings.catch_warnings():
        # That PyTorch will do without such tensors is said once, in the app and README.
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        if not by_row:
            return torch._make_per_tensor_quantized_tensor(values, float(scales), int(zeros))
        zeros = zeros if zeros.is_floating_point() else zeros.long()
        return torch._make_per_channel_quantized_tensor(values, scales, zeros, 0)


def in_blocks(integers: Stored, scales: Stored) -> Stored:
    """Return a stored matrix of int8 as Blocks; reading raises CheckpointError where it and its
    scales are of no use as such."""

    def read() -> Blocks:
        if scales.count != scales.held or scales.dtype != torch.float32:
            raise CheckpointError("the scales of 4-bit numbers must be float32, each stored")
        try:
            return Blocks(integers.read(), scales.read())
        except ValueError as error:
            raise CheckpointError(str(error)) from None

    return replace(integers, dtype=Blocks.dtype, read=read)


def quantized_by(integers: Stored, quantizer: tuple) -> Stored | None:
    """Return the quantized tensor that a file of PyTorch describes by its scheme, scale, zero point
    and axis; None where it is of a kind that no matrix here is of."""
    _scheme, scale, zero_point, *axis = quantizer
    kinds = (Stored, Stored) if axis == [0] else (float, int)
    if axis not in ([], [0]) or integers.dtype not in INTEGERS or len(integers.shape) != 2:
        return None
    if not all(map(isinstance, (scale, zero_point), kinds)):
        return None
    return quantized(integers, scale, zero_point)


def _numbers(each: float | Stored) -> Tensor:
    if not isinstance(each, Stored):
        return torch.tensor([each], dtype=torch.float64 if isinstance(each, float) else torch.int64)
    return each.read().flatten() if each.count == each.held else torch.empty(0)


def _are_usable(scales: Tensor, zeros: Tensor, dtype: torch.dtype) -> bool:
    if not (scales.is_floating_point() and scales.isfinite().all() and (scales > 0).all()):
        return False
    if zeros.is_floating_point():
        return bool(zeros.isfinite().all())
    limits = torch.iinfo(dtype)
    return bool(((zeros >= limits.min) & (zeros <= limits.max)).all())


def precision_of(matrix: Tensor | Blocks | None) -> str:
    """Return what a variant calls a matrix: int4 for Blocks, int8, int8-channel for a scale a row,
    fp32 for None.

    PyTorch's embeddings always have a scale a row, and zero points in floats: int8.
    """
    if matrix is None:
        return "fp32"
    if isinstance(matrix, Blocks):
        return "int4"
    if matrix.qscheme() in _PER_TENSOR or matrix.q_per_channel_zero_points().is_floating_point():
        return "int8"
    return "int8-channel"


def as_arrays(numbers: Mapping[str, Tensor | Blocks]) -> dict[str, Tensor]:
    """Return named tensors as plain ones: a quantized one is three, its integers, NAME.scale and
    NAME.zero_point, of shape () for the whole matrix or (R, 1) for its rows. Blocks are two, their
    integers and NAME.scale."""
    arrays = {}
    for name, each in numbers.items():
        if not each.is_quantized:
            arrays[name] = each
            continue
        if isinstance(each, Blocks):
            arrays[name], arrays[name + SCALE] = each.values, each.scales
            continue
        if each.qscheme() in _PER_TENSOR:
            scale = torch.tensor(each.q_scale(), dtype=torch.float64)
            zero = torch.tensor(each.q_zero_point())
        else:
            scale = each.q_per_channel_scales().view(-1, 1)
            zero = each.q_per_channel_zero_points().view(-1, 1)
        arrays[name] = each.int_repr()
        # Nearly always they were 32-bit floats before PyTorch took them as doubles.
        is_single = torch.equal(scale.float().double(), scale.double())
        arrays[name + SCALE] = scale.float() if is_single else scale
        # As 16 bits, so that NumPy keeps to 32-bit floats when it subtracts them.
        arrays[name + ZERO_POINT] = zero if zero.is_floating_point() else zero.short()
    return arrays


def from_arrays(entries: Mapping[str, object]) -> dict[str, object]:
    """Return a file's entries with what `as_arrays` took apart put together again."""
    whole, used = {}, set()
    for name, each in entries.items():
        scale, zero_point = entries.get(name + SCALE), entries.get(name + ZERO_POINT)
        is_matrix = isinstance(each, Stored) and each.dtype in INTEGERS
        if is_matrix and scale and zero_point:
            whole[name] = quantized(each, scale, zero_point)
            used |= {name + SCALE, name + ZERO_POINT}
        elif is_matrix and isinstance(scale, Stored) and len(each.shape) == 2:
            whole[name] = in_blocks(each, scale)
            used.add(name + SCALE)
        else:
            whole[name] = each
    return {name: each for name, each in whole.items() if name not in used}
