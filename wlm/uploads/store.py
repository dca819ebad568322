"""Uploads of visitors: a folder for each, kept for a day, for its owner alone.

Only `remove_old` deletes old uploads. A server's caretaker calls it.
"""

import json
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from wlm.catalog.registry import MODEL, UPLOAD_NAME, list_models, list_texts
from wlm.errors import UploadError
from wlm.files import remove_abandoned
from wlm.hosting import hosting
from wlm.paths import uploads_folder

MEGABYTE = 1024**2  # as Streamlit counts
MOST_OF_ONE = 4  # uploads of one visitor
MOST_OF_ALL, MOST_OF_ALL_MB = 200, 1_000
HOURS = 24
CHECKING = ".checking-"  # how folders begin in which an upload is checked
RECORD = "upload.json"
_lock = threading.Lock()


@dataclass(frozen=True)
class Upload:
    """A kept upload: its name here, `model` or `text`, its file's name, bytes kept, facts in a few
    words, owner, and when it came (seconds since 1970)."""

    name: str
    kind: str
    label: str
    size_bytes: int
    facts: str
    owner: str
    created_at: float

    @property
    def hours_left(self) -> float:
        """How long it is still kept."""
        return HOURS - (time.time() - self.created_at) / 3600


def uploads_of(owner: str, kind: str | None = None) -> list[Upload]:
    """Return an owner's uploads, oldest first, without those whose time is over."""
    return [
        upload
        for upload in _all()
        if upload.owner == owner and upload.hours_left > 0 and kind in (None, upload.kind)
    ]


def names_for(visitor: str, kind: str) -> list[str]:
    """Return the names of models, or of texts, that a visitor may use: everyone's and the visitor's
    own uploads."""
    everyones = list_models() if kind == MODEL else list_texts()
    return [*everyones, *(upload.name for upload in uploads_of(visitor, kind))]


def remove_old() -> None:
    """Remove the uploads whose time is over, damaged ones, and what killed checks have left."""
    for path in _folders():
        try:
            over = _read(path).hours_left <= 0
        except OSError:  # it is being removed, or cannot be read just now
            continue
        except (ValueError, TypeError):
            over = True
        if over:
            shutil.rmtree(path, ignore_errors=True)
    remove_abandoned(uploads_folder(), f"{CHECKING}*")


def remove(owner: str, name: str) -> None:
    """Remove an owner's upload. Raises UploadError if the owner has none of this name."""
    if name not in (upload.name for upload in uploads_of(owner)):
        raise UploadError(f"you have no upload {name!r}")
    shutil.rmtree(uploads_folder() / name, ignore_errors=True)


@contextmanager
def reserve(owner: str, size_bytes: int) -> Iterator[Path]:
    """Yield a folder to check an upload in, one at a time, if `size_bytes` may still be kept.

    Raises UploadError, and SettingError if visitors may not upload.
    """
    hosting().check_allowed("uploading")
    with _lock:
        kept = _all()
        if len(uploads_of(owner)) >= MOST_OF_ONE:
            raise UploadError(f"each visitor may keep {MOST_OF_ONE} uploads: remove one first")
        size = sum(upload.size_bytes for upload in kept) + size_bytes
        # Checks under way, and checks whose server was killed.
        size += sum(map(_size_of, uploads_folder().glob(f"{CHECKING}*")))
        if len(kept) >= MOST_OF_ALL or size > MOST_OF_ALL_MB * MEGABYTE:
            raise UploadError(
                f"this server keeps at most {MOST_OF_ALL} uploads and {MOST_OF_ALL_MB:,} MB of all "
                "visitors, and is full: try again later"
            )
        try:
            uploads_folder().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=CHECKING, dir=uploads_folder()) as folder:
                yield Path(folder)
        except OSError as error:
            raise UploadError(f"the upload cannot be kept: {error.strerror or error}") from None


def keep(folder: Path, owner: str, kind: str, label: str, facts: str) -> Upload:
    """Keep a checked folder, and return its record."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    name = f"upload-{secrets.token_hex(6)}"
    upload = Upload(name, kind, label, size, facts, owner, time.time())
    (folder / RECORD).write_text(json.dumps(asdict(upload)), "utf-8")
    folder.replace(uploads_folder() / name)
    return upload


def _all() -> list[Upload]:
    """Return every visitor's uploads, oldest first, those whose time is over included."""
    found = []
    for path in _folders():
        with suppress(OSError, ValueError, TypeError):
            found.append(_read(path))
    return sorted(found, key=lambda upload: upload.created_at)


def _folders() -> list[Path]:
    return [path for path in uploads_folder().glob("*") if UPLOAD_NAME.fullmatch(path.name)]


def _size_of(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # its check has just ended
            size += path.stat().st_size
    return size


def _read(folder: Path) -> Upload:
    """Return the record of an upload. Raises OSError, and ValueError or TypeError if damaged."""
    record = folder / RECORD
    return _record(record, record.stat().st_mtime_ns)


@lru_cache(maxsize=MOST_OF_ALL)
def _record(path: Path, _changed: int) -> Upload:
    """Read a record, once: every page asks for all of them."""
    return Upload(**json.loads(path.read_text("utf-8")))
