"""An .npz file of floats: its sizes are checked before NumPy reads it."""

import math
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from wlm.errors import CheckpointError
from wlm.weights.foreign import Found
from wlm.weights.integers import SCALE
from wlm.weights.stored import Stored, are_sizes, damaged
from wlm.weights.zip_file import open_zip

_FLOATS = {"<f2": torch.float16, "<f4": torch.float32, "<f8": torch.float64}
MOST_ENTRIES = 1_000
_LONGEST_HEADER = 1_000  # bytes


def read_npz(path: Path) -> Found:
    """Return the float arrays of an .npz file, without its other arrays. Raises CheckpointError."""
    try:
        with open_zip(path) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("it is compressed: save it with numpy.savez")
            if len(entries) > MOST_ENTRIES:
                raise ValueError(
                    f"it must have at most {MOST_ENTRIES:,} arrays, got {len(entries):,}"
                )
            arrays = {entry.filename.removesuffix(".npy"): entry for entry in entries}
            stored = {name: _array(path, archive, entry) for name, entry in arrays.items()}
    except Exception as error:  # a damaged archive can raise almost any exception
        raise damaged(path, ".npz", error) from None
    if any(name + SCALE in stored and array is None for name, array in stored.items()):
        raise CheckpointError(
            f"the weights {str(path)!r} hold integers with scales, which wlm does not read from "
            ".npz files: give the weights that they were made from, in PyTorch's format"
        )
    return Found({name: array for name, array in stored.items() if array})


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Stored | None:
    """Return an array that is not yet read, or None if it does not hold floats."""
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _is_fortran, dtype = read_header[version](file, max_header_size=_LONGEST_HEADER)
        size = entry.file_size - file.tell()
        if not are_sizes(*shape) or math.prod(shape) * dtype.itemsize != size:
            raise ValueError(f"{entry.filename[:60]!r} has {size:,} bytes for a shape of {shape}")
    if dtype.str not in _FLOATS:
        return None

    def read() -> Tensor:
        try:
            with np.load(path, allow_pickle=False) as file:
                array = np.array(file[entry.filename], order="C")
            if (array.shape, array.dtype) != (shape, dtype):
                raise ValueError("it changed while it was read")
        except Exception as error:  # it may have changed since
            raise damaged(path, ".npz", error) from None
        return torch.from_numpy(array)

    return Stored(tuple(shape), _FLOATS[dtype.str], read, entry.filename, math.prod(shape))
