"""Exports as zip archives, made one at a time and kept in the user's cache folder."""

import io
import json
import re
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch

from wlm import __version__
from wlm.disk_cache import read_cached, write_cached
from wlm.exporting.export import ARCHIVE, export
from wlm.memory import give_back
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import CARD, Checkpoint

ARCHIVE_FORMAT = 1  # increased whenever older archives must not be used any more
_lock = threading.Lock()


@dataclass(frozen=True)
class Archive:
    """An export as one file: a name for it, its bytes, and its card."""

    name: str
    content: bytes
    card: dict


def archive_of(checkpoint: Checkpoint, variant: Variant, format: str) -> Archive:
    """Return a variant of a model as a zip archive, from the cache or made now.

    Raises VariantError for a format that cannot hold the variant, WLMError if making it fails.
    """
    weights = checkpoint.sha256 or checkpoint.name
    key = (
        f"export-{_plain(checkpoint.name)}-{weights[:32]}",
        "-".join([str(ARCHIVE_FORMAT), __version__, torch.__version__]),
        _plain(f"{variant}-{format}"),
    )
    name = f"{_plain(checkpoint.name)}-{_plain(str(variant))}-{format}{ARCHIVE}"
    with _lock:  # each export makes a copy or two of the weights
        content = read_cached(*key)
        if content is None:
            with tempfile.TemporaryDirectory(prefix="wlm-") as folder:
                path = Path(folder) / name
                export(checkpoint, variant, path, format)
                content = path.read_bytes()
            write_cached(*key, content)
            give_back()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (card,) = (member for member in archive.namelist() if member.endswith(f"/{CARD}"))
        return Archive(name, content, json.loads(archive.read(card)))


def _plain(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text).strip("-")
