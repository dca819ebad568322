"""What a file is that should hold weights, by its first bytes."""

import zipfile
from pathlib import Path

from wlm.errors import CheckpointError
from wlm.weights.torch_file import is_legacy
from wlm.weights.zip_file import open_zip

TORCH, SAFETENSORS, NPZ = "torch", "safetensors", "npz"
_SAVE = "torch.save(model.state_dict(), path)"
_BEGINNINGS = {  # the first bytes, what that is, and what to do instead
    b"GGUF": ("a GGUF file of llama.cpp", "give the PyTorch weights that it was made from"),
    b"\x89HDF": ("an HDF5 file, as Keras writes it", f"give PyTorch's weights, {_SAVE}"),
    b"\x93NUMPY": ("one NumPy array", f"give all weights, {_SAVE}"),
    b"\x1f\x8b": ("compressed by gzip", "give the file inside"),
    b"BZh": ("compressed by bzip2", "give the file inside"),
    b"\xfd7zXZ": ("compressed by xz", "give the file inside"),
    b"(\xb5/\xfd": ("compressed by zstd", "give the file inside"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "give the file inside"),
    b"version https://git-lfs": ("a pointer of Git LFS, not the file itself", "run git lfs pull"),
    b"<!DOCTYPE": ("a web page", "download the file itself"),
    b"<html": ("a web page", "download the file itself"),
}
_ONNX = (
    "an ONNX file, which wlm does not read, also if wlm exported it",
    f"give the weights that it was made from, as PyTorch saves them: {_SAVE}",
)
_TAR = "a tar archive", "give the file inside"
_TORCHSCRIPT = "TorchScript", f"save its weights alone, model = torch.jit.load(path), then {_SAVE}"
_PICKLE = "a plain pickle, which wlm never unpickles", f"give a file of {_SAVE}"
_ZIP = "a zip archive that torch.save did not write", "give the file inside"
_TEXT = "a text", f"give weights, a .safetensors file or one of {_SAVE}"


def kind_of(path: Path) -> str:
    """Return TORCH, SAFETENSORS or NPZ. Raises CheckpointError for any other file, with advice."""
    try:
        with path.open("rb") as file:
            start = file.read(1024)
        size = path.stat().st_size
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"the weights {str(path)!r} cannot be read: {reason}") from None
    if is_legacy(start):
        return TORCH
    found = next((each for first, each in _BEGINNINGS.items() if start.startswith(first)), None)
    if not found:
        if path.suffix == ".safetensors" or _is_safetensors(start, size):
            return SAFETENSORS
        found = _zip_kind(path) if start.startswith(b"PK\x03\x04") else _other_kind(path, start)
    if found == NPZ:
        return found
    if found:
        what, instead = found
        raise CheckpointError(f"the weights {str(path)!r} are {what}: {instead}")
    return TORCH


def _is_safetensors(start: bytes, size: int) -> bool:
    """A safetensors file begins with the length of its header, a JSON object."""
    return start[8:9] == b"{" and 8 + int.from_bytes(start[:8], "little") <= size


def _zip_kind(path: Path) -> str | tuple[str, str] | None:
    """NPZ, or what else a zip archive is that torch.save did not write; None where it may have."""
    try:
        with open_zip(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None  # damaged, which the reader of PyTorch's files reports
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner:
        return _TORCHSCRIPT
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    return None if "data.pkl" in inner else _ZIP


def _other_kind(path: Path, start: bytes) -> str | tuple[str, str] | None:
    if start[257:262] == b"ustar":
        return _TAR
    # Field 1 of the protocol buffer is the version, field 2 or 7 who made it, or the graph.
    is_onnx = start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in (b"\x12", b"\x3a")
    if path.suffix == ".onnx" or is_onnx:
        return _ONNX
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return _PICKLE
    if start and b"\0" not in start and _is_utf8(start):
        return _TEXT
    return None


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= len(start) > 1000  # cut within a character
    return True
