"""Files that can be made again, kept in the user's cache folder.

A file's name ends with the digest of its content, so that reading detects a damaged file. A file is
written under another name and then moved, so that two processes at once do no harm.
"""

import hashlib
import logging
import os
from pathlib import Path

from wlm.files import WRITING, remove_abandoned, write_whole
from wlm.paths import cache_folder

MOST_BYTES = 1_000_000_000

logger = logging.getLogger(__name__)


def read_cached(group: str, version: str, name: str) -> bytes | None:
    """Return a file's content; None if it is missing, or damaged and therefore removed."""
    for path in (cache_folder() / group).glob("*"):
        if not path.name.startswith(f"{version}_{name}_"):
            continue
        try:
            content = path.read_bytes()
            if path.name == _file_name(version, name, content):
                os.utime(path)  # used now: removed last
                return content
        except OSError:
            continue
        _remove(path)
    return None


def write_cached(group: str, version: str, name: str, content: bytes) -> None:
    """Keep a file, and remove the files of the group's other versions.

    If all groups' files exceed MOST_BYTES, the least recently used are removed. If the cache cannot
    be written, a log entry reports it, and files are made again each time.
    """
    folder = cache_folder() / group
    path = folder / _file_name(version, name, content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: part.write_bytes(content))
    except OSError as error:
        logger.warning("%s cannot be kept in the cache: %s", name, error)
        return
    _tidy(path, version)


def _file_name(version: str, name: str, content: bytes) -> str:
    return f"{version}_{name}_{hashlib.sha256(content).hexdigest()[:32]}"


def _tidy(newest: Path, version: str) -> None:
    """Remove outdated files and, beyond MOST_BYTES, the least recently used. Another process may
    remove the same files meanwhile."""
    remove_abandoned(cache_folder(), f"*/{WRITING}*")
    kept, total = [], 0
    for path in cache_folder().glob("*/[!.]*"):  # without the folders of writes under way
        if path.parent == newest.parent and not path.name.startswith(f"{version}_"):
            _remove(path)
            continue
        try:
            facts = path.stat()
        except OSError:
            continue
        total += facts.st_size
        if path != newest:
            kept.append((facts.st_mtime, facts.st_size, path))
    for _, size, path in sorted(kept):
        if total <= MOST_BYTES:
            break
        _remove(path)
        total -= size


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s cannot be removed from the cache: %s", path.name, error)
