"""A file that `torch.save` wrote, in either format: its objects as data, its tensors not yet read.

Since PyTorch 1.6 the file is a zip archive with a pickle and one entry per storage; before, it was
a row of pickles followed by the storages.
"""

import io
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from wlm.errors import shown
from wlm.weights.integers import INTEGERS, quantized_by
from wlm.weights.pickled import Inert, as_dict, read_pickle
from wlm.weights.stored import Stored, are_sizes, damaged
from wlm.weights.zip_file import open_zip

_LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")  # a number, in any pickle protocol
LEGACY_START = 30
_DTYPES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "QInt8": torch.qint8,
    "QUInt8": torch.quint8,
    "QInt32": torch.qint32,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "Untyped": torch.uint8,
}
_DICTIONARIES = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter")
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_PLAIN = {quantized: plain for plain, quantized in INTEGERS.items()}


def is_legacy(start: bytes) -> bool:
    """Tell by a file's first LEGACY_START bytes whether it has the format before PyTorch 1.6."""
    return start[:1] == b"\x80" and _LEGACY_MAGIC in start[:LEGACY_START]


@dataclass(frozen=True)
class _Storage:
    """A stretch of numbers: its key, dtype, length, and its beginning within its root."""

    key: object
    dtype: torch.dtype
    count: int
    first: int = 0


class TorchFile:
    """An opened file of `torch.save`. Its pickle's imports and calls are only recorded, see
    `Inert`. Raises CheckpointError."""

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[object, tuple[int, int]] = {}  # a storage's first byte and its bytes
        self._storages: dict[object, _Storage] = {}
        self._stored: dict[object, Stored] = {}
        self._copied, self._size = 0, 0
        try:
            self._size = path.stat().st_size
            with path.open("rb") as file:
                legacy = is_legacy(file.read(LEGACY_START))
                file.seek(0)
                self.content = self._read_legacy(file) if legacy else self._read_zip(file)
        except MemoryError:
            raise  # for the process that limits it
        except Exception as error:  # a damaged pickle or archive can raise almost any exception
            raise damaged(self.path, "PyTorch", error) from None

    def _read_zip(self, file: BinaryIO) -> object:
        with open_zip(self.path) as archive:
            entries = archive.infolist()
            # A small compressed entry can unpack to any size; torch.save compresses nothing.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("it holds compressed entries, which torch.save never writes")
            names = {entry.filename.partition("/")[2]: entry for entry in entries}
            if "data.pkl" not in names:
                raise ValueError("it is a zip archive without PyTorch's data.pkl")
            if "byteorder" in names and archive.read(names["byteorder"]) != b"little":
                raise ValueError("its numbers are big-endian")
            for name, entry in names.items():
                if name.startswith("data/"):
                    place = _after_header(file, entry)
                    if place + entry.file_size > self._size:
                        raise ValueError(f"{name} lies outside of the file")
                    self._places[name.removeprefix("data/")] = place, entry.file_size
            with archive.open(names["data.pkl"]) as entry:
                return read_pickle(io.BufferedReader(entry), self._call, self._storage)

    def _read_legacy(self, file: BinaryIO) -> object:
        for _ in range(2):  # the magic number, and the version of the format
            read_pickle(file, self._call, self._storage)
        system = read_pickle(file, self._call, self._storage)
        if not (isinstance(system, dict) and system.get("little_endian", True)):
            raise ValueError("its numbers are big-endian")
        content = read_pickle(file, self._call, self._storage)
        for key in read_pickle(file, self._call, self._storage):
            (count,) = struct.unpack("<q", file.read(8))
            storage = self._storages[key]
            bytes_ = storage.count * storage.dtype.itemsize
            if count != storage.count or file.tell() + bytes_ > self._size:
                raise ValueError(f"storage {shown(key, 20)} claims more than the file holds")
            self._places[key] = file.tell(), bytes_
            file.seek(bytes_, 1)
        return content

    def _storage(self, reference: object) -> object:
        """Return the target of a pickle's reference to outside the pickle: a storage or class."""
        kind, *facts = reference
        if kind == "module":  # a class with its source code, in the format before 1.6
            return facts[0]
        if kind != "storage":
            raise ValueError(f"it refers to a {shown(kind, 20)}")
        type_, key, _device, count, *view = facts
        name = type_.name.rpartition(".")[2].removesuffix("Storage")
        if not isinstance(key, str | int):
            raise ValueError("it holds a storage whose key is no name")
        if name not in _DTYPES or not are_sizes(count):
            raise ValueError(f"it holds a {shown(type_.name, 40)} of {shown(count, 20)}")
        self._storages.setdefault(key, _Storage(key, _DTYPES[name], count))
        first = 0
        if view and view[0] is not None:
            _key, first, count = view[0]
            if not are_sizes(first, count):
                raise ValueError("it holds a view of negative size")
        return _Storage(key, _DTYPES[name], count, first)

    def _call(self, name: str, args: tuple) -> object:
        """Replace a call of an imported name: make objects that hold weights, and nothing else."""
        module, _, what = name.rpartition(".")
        if name in _DICTIONARIES:
            pairs = args[0] if args and isinstance(args[0], list | dict) else ()
            self._count_copied(len(pairs))
            return as_dict(pairs)
        if name == "_codecs.encode" and args[1:] == ("latin1",):
            self._count_copied(len(args[0]))
            return args[0].encode("latin1")
        if module == "torch._utils" and what in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return self._tensor(args[0].dtype, *args[:4])
        if module == "torch._utils" and what == "_rebuild_tensor_v3":
            return self._tensor(_named_dtype(args[6]), *args[:4])
        if module == "torch._utils" and what.startswith(("_rebuild_parameter", "_rebuild_device")):
            return args[0]  # as its tensor or array, wherever it was
        if name == "torch._tensor._rebuild_from_type_v2":
            return self._call(args[0].name, args[2])
        if module == "torch._utils" and what == "_rebuild_qtensor":
            integers = self._tensor(_PLAIN.get(args[0].dtype, args[0].dtype), *args[:4])
            return quantized_by(integers, args[4]) or Inert(name, True, args)
        if module in _NUMPY and what in ("_reconstruct", "scalar"):
            return Inert("numpy.ndarray", True, args)
        if name in ("builtins.bytes", "__builtin__.bytes") and not args:
            return b""
        return Inert(name, True, args)

    def _count_copied(self, number: int) -> None:
        """Limit the items and characters that are copied: an honest file names each once."""
        self._copied += number
        if self._copied > self._size:
            raise ValueError("it copies more than it holds")

    def _tensor(self, dtype, storage: _Storage, first: int, shape: tuple, strides: tuple) -> Stored:
        first, strides, shape = first + storage.first, tuple(strides), tuple(shape)
        if len(shape) != len(strides) or not are_sizes(first, *shape, *strides):
            raise ValueError("it holds a tensor of negative or odd sizes")
        identity = storage.key, first, shape, strides, dtype
        if identity not in self._stored:
            sides = zip(shape, strides, strict=True)
            span = 0 if 0 in shape else 1 + sum((side - 1) * stride for side, stride in sides)
            size = dtype.itemsize

            def read() -> Tensor:
                if not span:
                    return torch.empty(shape, dtype=dtype)
                content = self._bytes_of(storage.key, first * size, span * size)
                return torch.frombuffer(content, dtype=dtype).as_strided(shape, strides)

            self._stored[identity] = Stored(shape, dtype, read, identity, span)
        return self._stored[identity]

    def _bytes_of(self, key: object, first: int, count: int) -> bytearray:
        """Return bytes of a storage. Raises CheckpointError if the storage has fewer bytes."""
        place, size = self._places.get(key, (0, 0))
        try:
            if first + count > size:
                raise ValueError(f"storage {shown(key, 20)} holds less than its tensors")
            with self.path.open("rb") as file:
                file.seek(place + first)
                content = bytearray(count)
                if file.readinto(content) != count:
                    raise ValueError("it ends too early")
            return content
        except (OSError, ValueError) as error:
            raise damaged(self.path, "PyTorch", error) from None


def _after_header(file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return where an entry's bytes begin: after the entry's header, whose length varies."""
    file.seek(entry.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise ValueError("an entry has no header")
    name, extra = struct.unpack("<HH", header[26:30])
    return entry.header_offset + 30 + name + extra


def _named_dtype(dtype: Inert) -> torch.dtype:
    # Not `getattr`: torch imports some of its modules when an attribute is read.
    found = vars(torch).get(dtype.name.removeprefix("torch."))
    if not isinstance(found, torch.dtype):
        raise ValueError(f"it holds numbers of the kind {shown(dtype.name, 40)}")
    return found
