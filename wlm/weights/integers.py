"""Matrices of integers in files: three plain arrays each, see `wlm.model.quantized`."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from wlm.errors import CheckpointError
from wlm.model.int4 import Int4Matrix
from wlm.model.quantized import quantized_tensor, scales_of
from wlm.weights.stored import Stored

SCALE, ZERO_POINT = ".scale", ".zero_point"  # suffixes of the arrays next to the matrix's
INTEGERS = {torch.int8: torch.qint8, torch.uint8: torch.quint8}


def quantized(integers: Stored, scale: float | Stored, zero_point: int | Stored) -> Stored:
    """Return a stored matrix (R, C) of int8 or uint8 as a stored quantized tensor.

    Scale and zero point are a number or of shape () for the whole matrix, or have R numbers. Zero
    points may be floats, as in PyTorch's embeddings. Reading raises CheckpointError if they do not
    fit the matrix.
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


def quantized_by(integers: Stored, quantizer: tuple) -> Stored | None:
    """Return the quantized tensor that a PyTorch file describes by scheme, scale, zero point and
    axis; None for a kind that no LSTMModel has."""
    _scheme, scale, zero_point, *axis = quantizer
    kinds = (Stored, Stored) if axis == [0] else (float, int)
    if axis not in ([], [0]) or integers.dtype not in INTEGERS or len(integers.shape) != 2:
        return None
    if not all(map(isinstance, (scale, zero_point), kinds)):
        return None
    return quantized(integers, scale, zero_point)


def _numbers(value: float | Stored) -> Tensor:
    if not isinstance(value, Stored):
        dtype = torch.float64 if isinstance(value, float) else torch.int64
        return torch.tensor([value], dtype=dtype)
    return value.read().flatten() if value.count == value.held else torch.empty(0)


def _are_usable(scales: Tensor, zeros: Tensor, dtype: torch.dtype) -> bool:
    if not (scales.is_floating_point() and scales.isfinite().all() and (scales > 0).all()):
        return False
    if zeros.is_floating_point():
        return bool(zeros.isfinite().all())
    limits = torch.iinfo(dtype)
    return bool(((zeros >= limits.min) & (zeros <= limits.max)).all())


def as_arrays(numbers: Mapping[str, Tensor | Int4Matrix]) -> dict[str, Tensor]:
    """Return named tensors as plain ones.

    A quantized tensor becomes three: its integers, NAME.scale and NAME.zero_point, of shape () for
    the whole matrix or (R, 1) for its rows. An Int4Matrix becomes two: its integers and NAME.scale.
    """
    arrays = {}
    for name, value in numbers.items():
        if not value.is_quantized:
            arrays[name] = value
            continue
        if isinstance(value, Int4Matrix):
            arrays[name], arrays[name + SCALE] = value.values, value.scales
            continue
        scale, zero = scales_of(value)
        arrays[name] = value.int_repr()
        # Nearly always they were 32-bit floats before PyTorch stored them as doubles.
        is_single = torch.equal(scale.float().double(), scale.double())
        arrays[name + SCALE] = scale.float() if is_single else scale
        # 16 bits, so that NumPy's result stays in 32-bit floats when it subtracts them.
        arrays[name + ZERO_POINT] = zero if zero.is_floating_point() else zero.short()
    return arrays


def from_arrays(entries: Mapping[str, object]) -> dict[str, object]:
    """Return a file's entries with quantized matrices put together again, see `as_arrays`."""
    whole, used = {}, set()
    for name, value in entries.items():
        scale, zero_point = entries.get(name + SCALE), entries.get(name + ZERO_POINT)
        if isinstance(value, Stored) and value.dtype in INTEGERS and scale and zero_point:
            whole[name] = quantized(value, scale, zero_point)
            used |= {name + SCALE, name + ZERO_POINT}
        else:
            whole[name] = value
    return {name: value for name, value in whole.items() if name not in used}
