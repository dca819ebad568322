"""Hashes that tell files apart."""

import hashlib
from pathlib import Path


def digest(path: Path, start) -> str:
    """Return a file's digest in hexadecimal, added to the hash object `start`. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: start).hexdigest()


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal. Raises OSError."""
    return digest(path, hashlib.sha256())
