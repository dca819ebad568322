"""An .npz file: NumPy arrays in a zip archive, read without NumPy's loader, which trusts sizes."""

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from wlm.errors import CheckpointError
from wlm.model.foreign import Found
from wlm.model.imported import VARIANT
from wlm.model.pickled import reason
from wlm.model.quantized import from_arrays
from wlm.model.stored import Stored, are_sizes

_DTYPES = {
    **{"<f2": torch.float16, "<f4": torch.float32, "<f8": torch.float64},
    **{"|i1": torch.int8, "|u1": torch.uint8, "<i2": torch.int16, "<i8": torch.int64},
}
MOST_ENTRIES = 1_000
_LONGEST = 1_000  # bytes of a header, and of a name


def read_npz(path: Path) -> Found:
    """Return the arrays of an .npz file, those of integers with their scales and zero points.

    Raises CheckpointError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(each.compress_type != zipfile.ZIP_STORED for each in entries):
                raise ValueError("it is compressed: save it with numpy.savez")
            if len(entries) > MOST_ENTRIES:
                raise ValueError(
                    f"it must have at most {MOST_ENTRIES:,} arrays, got {len(entries):,}"
                )
            arrays = {}
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                arrays[name] = _array(path, archive, entry)
    except Exception as error:  # a damaged archive raises nearly anything
        raise _damaged(path, error) from None
    variant = arrays.pop(VARIANT, "")
    stored = {name: each for name, each in arrays.items() if isinstance(each, Stored)}
    return Found(from_arrays(stored), variant=variant if isinstance(variant, str) else "")


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Stored | str | None:
    """An array of numbers, not yet read, or of one short string; None for any other."""
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _is_fortran, dtype = read_header[version](file, max_header_size=_LONGEST)
        size = entry.file_size - file.tell()
        if not are_sizes(*shape) or math.prod(shape) * dtype.itemsize != size:
            raise ValueError(f"{entry.filename[:60]!r} has {size:,} bytes for a shape of {shape}")
        if dtype.kind == "U" and shape == () and size <= _LONGEST:
            return file.read().decode("utf-32-le").rstrip("\0")
    if dtype.str not in _DTYPES:
        return None

    def read() -> Tensor:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
                array = npy.read_array(io.BytesIO(file.read()), allow_pickle=False)
        except Exception as error:  # it may have changed since
            raise _damaged(path, error) from None
        return torch.from_numpy(np.array(array, order="C"))

    return Stored(tuple(shape), _DTYPES[dtype.str], read, entry.filename, math.prod(shape))


def _damaged(path: Path, error: object) -> CheckpointError:
    return CheckpointError(
        f"the weights {str(path)!r} are damaged or no .npz file: {reason(error)}"
    )
