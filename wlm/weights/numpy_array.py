"""NumPy arrays as a pickle describes them."""

import math

import torch
from torch import Tensor

from wlm.errors import shown
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored, are_sizes

_DTYPES = {"f2": torch.float16, "f4": torch.float32, "f8": torch.float64}


def array_as_stored(array: Inert) -> Stored | None:
    """Return a NumPy array of a pickle as a stored tensor; None if it is not fp16, fp32 or fp64.

    Raises ValueError if it is damaged.
    """
    if array.name != "numpy.ndarray" or not isinstance(array.state, tuple):
        return None
    _version, shape, dtype, is_fortran, content = array.state
    code = dtype.args[0] if isinstance(dtype, Inert) and dtype.args else None
    is_big = isinstance(dtype, Inert) and isinstance(dtype.state, tuple) and ">" in dtype.state
    if code not in _DTYPES or is_big:
        return None
    content = content.encode("latin1") if isinstance(content, str) else content
    kind, shape = _DTYPES[code], tuple(shape)
    count = math.prod(shape) if are_sizes(*shape) else -1
    if count * kind.itemsize != len(content):
        raise ValueError(f"an array of shape {shown(shape, 40)} has {len(content):,} bytes")

    def read() -> Tensor:
        flat = torch.frombuffer(bytearray(content), dtype=kind)
        if is_fortran:
            return flat.view(shape[::-1]).permute(*reversed(range(len(shape))))
        return flat.view(shape)

    return Stored(shape, kind, read, id(array), count)
