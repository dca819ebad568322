"""Files: what may be read, kinds by the first bytes, hashes, writing a file whole, and removing
what killed processes left."""

import codecs
import hashlib
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_NO_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_INSIDE = "give the file inside"
_BEGINNINGS = {  # the first bytes, what the file is, and what to do, if that is always the same
    b"GGUF": ("a GGUF file of llama.cpp", ""),
    b"\x89HDF": ("an HDF5 file, as Keras writes it", ""),
    b"\x93NUMPY": ("one NumPy array", ""),
    b"%PDF-": ("a PDF file", ""),
    b"PK\x03\x04": ("a zip archive, such as a PyTorch file", ""),
    b"\x1f\x8b": ("compressed by gzip", _INSIDE),
    b"BZh": ("compressed by bzip2", _INSIDE),
    b"\xfd7zXZ": ("compressed by xz", _INSIDE),
    b"(\xb5/\xfd": ("compressed by zstd", _INSIDE),
    b"7z\xbc\xaf": ("a 7-Zip archive", _INSIDE),
    b"version https://git-lfs": ("a pointer of Git LFS, not the file itself", "run git lfs pull"),
    codecs.BOM_UTF32_LE: ("UTF-32", "save it as UTF-8"),  # first: it begins with UTF-16's
    codecs.BOM_UTF16_LE: ("UTF-16", "save it as UTF-8"),
    codecs.BOM_UTF16_BE: ("UTF-16", "save it as UTF-8"),
}
# Protocols 2 to 5 begin with their number, protocol 0 with a class, a list or a dictionary.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|c[\w.]+\n\w+\n[pqR(]|\([dl]p\d+\n")
BEGINNING = 1024  # bytes that `kind_by_beginning` needs
WRITING = ".writing-"  # how folders begin that `write_whole` writes to
ABANDONED_S = 3_600.0  # without a write: the process that made the folder was killed


def kind_by_beginning(start: bytes) -> tuple[str, str] | None:
    """Return what kind of file begins with these bytes, and what to do instead of giving the file.

    The advice is empty if it depends on what the file is for. Returns None for other bytes.
    """
    for beginning, found in _BEGINNINGS.items():
        if start.startswith(beginning):
            return found
    if start[257:262] == b"ustar":
        return "a tar archive", _INSIDE
    return ("a pickle, which wlm never unpickles", "") if _PICKLE.match(start) else None


def why_unreadable(path: Path, most_bytes: int) -> str:
    """Return in words why a path is no file of at most `most_bytes`; nothing if it is such a file.

    Nothing is opened: a pipe would wait, a device might never end. Raises FileNotFoundError.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        return getattr(error, "strerror", None) or str(error)
    if not stat.S_ISREG(found.st_mode):
        return f"it is {_NO_FILES.get(stat.S_IFMT(found.st_mode), 'something else')}, not a file"
    if found.st_size > most_bytes:
        return f"it must have at most {most_bytes:,} bytes, got {found.st_size:,}"
    return ""


def digest(path: Path, start) -> str:
    """Return a file's digest in hexadecimal, added to the hash object `start`. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: start).hexdigest()


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal. Raises OSError."""
    return digest(path, hashlib.sha256())


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` write a file next to its place, and move it there: whole, or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=WRITING) as folder:
        write(Path(folder) / path.name)
        (Path(folder) / path.name).replace(path)


def remove_abandoned(parent: Path, pattern: str) -> None:
    """Remove the folders that match a pattern and that killed processes left. A process that still
    runs has written to its folder recently."""
    for folder in parent.glob(pattern):
        with suppress(OSError):
            latest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
            if time.time() - latest > ABANDONED_S:
                shutil.rmtree(folder)
