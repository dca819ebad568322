"""The kind of a weights file, recognized by its first bytes, and the weights files of a folder."""

import re
import zipfile
from itertools import islice
from pathlib import Path

from wlm.errors import CheckpointError, shown
from wlm.files import BEGINNING, kind_by_beginning
from wlm.weights.archive import CARD
from wlm.weights.torch_file import is_legacy
from wlm.weights.zip_file import open_zip

TORCH, SAFETENSORS, NPZ = "torch", "safetensors", "npz"
SAVE = "torch.save(model.state_dict(), path)"
_INSTEAD = f"give the weights that it was made from, as PyTorch saves them: {SAVE}"
_IN_PARTS = f"put all parts into one state_dict and save that, {SAVE}"
_INDEX = "the index of a model in several files", _IN_PARTS
_INDEX_SUFFIX = ".index.json"
_SHARD = re.compile(r".*-(\d{5})-of-(\d{5})\.\w+")
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar", ".npz")
_VOCABULARIES = ("vocab.txt", "vocabulary.txt", "words.txt", "vocab.json")
_MOST_FILES = 1_000


def is_shard(name: str) -> bool:
    """Tell whether a file is one of several parts, by the names that Hugging Face gives them."""
    found = _SHARD.fullmatch(name)
    return bool(found) and int(found[2]) > 1


def refuse_part(name: str, label: str) -> None:
    """Raise CheckpointError if a file's name says that it is one part of a model in several files,
    or the index of the parts; the message calls the file `label`."""
    if is_shard(name):
        raise _refused(label, "one part of several files", _IN_PARTS)
    if name.endswith(_INDEX_SUFFIX):
        raise _refused(label, *_INDEX)


def kind_of(path: Path) -> str:
    """Return TORCH, SAFETENSORS or NPZ. Raises CheckpointError for any other file, with advice."""
    try:
        with path.open("rb") as file:
            start = file.read(BEGINNING)
        size = path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"the weights {str(path)!r} cannot be read: {shown(error)}") from None
    refuse_part(path.name, str(path))
    if is_legacy(start):
        return TORCH
    is_zip = start.startswith(b"PK\x03\x04")
    if _is_safetensors(start, size) or (is_zip and path.suffix == ".safetensors"):
        return SAFETENSORS
    return _zip_kind(path) if is_zip else _other_kind(path, start)


def _refused(label: str | Path, what: str, instead: str) -> CheckpointError:
    return CheckpointError(f"the weights {str(label)!r} are {what}: {instead or _INSTEAD}")


def _is_safetensors(start: bytes, size: int) -> bool:
    """Tell whether a file is safetensors: it begins with its JSON header's length."""
    return start[8:9] == b"{" and 8 + int.from_bytes(start[:8], "little") <= size


def _zip_kind(path: Path) -> str:
    """Return the kind of a zip archive: TORCH or NPZ. Raises CheckpointError for other kinds."""
    try:
        with open_zip(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return TORCH  # damaged, which the reader of PyTorch's files reports
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner:
        advice = f"save its weights alone, model = torch.jit.load(path), then {SAVE}"
        raise _refused(path, "TorchScript", advice)
    # PyTorch 2.5 to 2.7 wrote exported programs without a folder, later ones with it.
    if "archive_format" in inner or "serialized_exported_program.json" in (*names, *inner):
        advice = (
            "save its weights alone, program = torch.export.load(path), then "
            "torch.save(program.state_dict, path)"
        )
        raise _refused(path, "an exported program of torch.export", advice)
    if "model.weights.h5" in names:
        raise _refused(path, "a Keras file", f"give PyTorch's weights, {SAVE}")
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    if "data.pkl" in inner:
        return TORCH
    raise _refused(path, "a zip archive that torch.save did not write", "give the file inside")


def _other_kind(path: Path, start: bytes) -> str:
    # Field 1 of the protocol buffer is the version; field 2 or 7 is the producer or the graph.
    is_onnx = start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in (b"\x12", b"\x3a")
    if path.suffix == ".onnx" or is_onnx:
        raise _refused(path, "an ONNX file, which wlm does not read, also if wlm exported it", "")
    if found := kind_by_beginning(start):
        raise _refused(path, *found)
    if start.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise _refused(path, "a web page", "download the file itself")
    if path.suffix == ".safetensors":
        return SAFETENSORS
    if start and b"\0" not in start and _is_utf8(start):
        if start.lstrip()[:1] == b"{" and b'"weight_map"' in start:
            raise _refused(path, *_INDEX)
        raise _refused(path, "a text", f"give weights, a .safetensors file or one of {SAVE}")
    return TORCH


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= len(start) > 1000  # cut within a character
    return True


def without_card(folder: Path) -> CheckpointError:
    """Return the error for a folder without a card, which names the files to pass instead."""
    try:
        files = sorted(path for path in islice(folder.iterdir(), _MOST_FILES) if path.is_file())
    except OSError as error:
        return CheckpointError(f"the folder {str(folder)!r} cannot be read: {shown(error)}")
    said = f"there is no file {str(folder / CARD)!r}, as a model folder has"
    shards = [path.name for path in files if is_shard(path.name)]
    weights = [path.name for path in files if path.suffix in SUFFIXES and not is_shard(path.name)]
    if shards and not weights:
        return CheckpointError(
            f"{said}: it holds a model in several files, such as {shown(shards[0])!r}: {_IN_PARTS}"
        )
    if not weights:
        return CheckpointError(f"{said}: give a model folder, or a file of weights")
    names = {path.name for path in files}
    words = next((name for name in _VOCABULARIES if name in names), None)
    option = f"the vocabulary file {words!r}" if words else "the file of its vocabulary"
    which = shown(", ".join(weights))
    return CheckpointError(
        f"{said}: give the weights file {which!r} in the folder, with {option} (--vocabulary)"
    )
