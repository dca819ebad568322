"""Files: hashes that tell them apart, and writing them whole or not at all."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path


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
