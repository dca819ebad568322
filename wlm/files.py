"""Files: what may be read, hashes that tell them apart, and writing them whole or not at all."""

import hashlib
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

_NO_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def why_unreadable(path: Path, most_bytes: int) -> str:
    """Return why a path is no file of at most so many bytes, in words; nothing where it is one.

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
    """Have `write` write a file beside its place and move it there: at once, or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        write(Path(folder) / path.name)
        (Path(folder) / path.name).replace(path)
