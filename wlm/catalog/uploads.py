"""What visitors brought: a folder for each upload, kept for a day, for its owner alone."""

import json
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from wlm.catalog.registry import UPLOAD_NAME
from wlm.errors import UploadError
from wlm.hosting import hosting
from wlm.paths import uploads_folder

MODEL, TEXT = "model", "text"
MEGABYTE = 1024**2  # as Streamlit counts
MOST_OF_ONE = 4  # uploads of one visitor
MOST_OF_ALL, MOST_OF_ALL_MB = 200, 1_000
HOURS = 24
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
    """Return an owner's uploads, oldest first; those whose time is over are removed."""
    return [each for each in _all() if each.owner == owner and (kind is None or each.kind == kind)]


def remove_old() -> None:
    """Remove the uploads whose time is over, as everything does that lists them."""
    _all()


def remove(owner: str, name: str) -> None:
    """Remove an owner's upload. Raises UploadError where the owner has none of this name."""
    if name not in (each.name for each in uploads_of(owner)):
        raise UploadError(f"you have no upload {name!r}")
    shutil.rmtree(uploads_folder() / name, ignore_errors=True)


@contextmanager
def room(owner: str, size_bytes: int) -> Iterator[Path]:
    """Give a folder to check an upload in, one at a time, if there is room for so many bytes.

    Raises UploadError, and SettingError where visitors may not upload.
    """
    hosting().check_allowed("uploading")
    with _lock:
        kept = _all()
        if sum(each.owner == owner for each in kept) >= MOST_OF_ONE:
            raise UploadError(f"each visitor may keep {MOST_OF_ONE} uploads: remove one first")
        size = sum(each.size_bytes for each in kept) + size_bytes
        if len(kept) >= MOST_OF_ALL or size > MOST_OF_ALL_MB * MEGABYTE:
            raise UploadError(
                f"this server keeps at most {MOST_OF_ALL} uploads and {MOST_OF_ALL_MB:,} MB of all "
                "visitors, and has no room: try again later"
            )
        try:
            uploads_folder().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".checking-", dir=uploads_folder()) as folder:
                yield Path(folder)
        except OSError as error:
            raise UploadError(f"the upload cannot be kept: {error.strerror or error}") from None


def keep(folder: Path, owner: str, kind: str, label: str, facts: str) -> Upload:
    """Put a checked folder in its place, with its record, and return that."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    name = f"upload-{secrets.token_hex(6)}"
    upload = Upload(name, kind, label, size, facts, owner, time.time())
    (folder / RECORD).write_text(json.dumps(asdict(upload)), "utf-8")
    folder.replace(uploads_folder() / name)
    return upload


def _all() -> list[Upload]:
    """Every visitor's uploads, oldest first; what is too old or damaged is removed."""
    found = []
    for path in uploads_folder().glob("*"):
        if not UPLOAD_NAME.fullmatch(path.name):
            continue
        try:
            upload = _record(path / RECORD, (path / RECORD).stat().st_mtime_ns)
        except OSError:  # it is being removed, or cannot be read just now
            continue
        except (ValueError, TypeError):
            upload = None
        if upload is None or upload.hours_left <= 0:
            shutil.rmtree(path, ignore_errors=True)
        else:
            found.append(upload)
    return sorted(found, key=lambda each: each.created_at)


@lru_cache(maxsize=MOST_OF_ALL)
def _record(path: Path, _changed: int) -> Upload:
    """An upload's record, read once: every page asks for all of them."""
    return Upload(**json.loads(path.read_text("utf-8")))
