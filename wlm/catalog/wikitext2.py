"""WikiText-2: its three files in pytorch/examples with sizes and hashes, and its archive."""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wlm.catalog.download import Sink
from wlm.errors import FetchError
from wlm.files import digest, sha256_of


@dataclass(frozen=True)
class PublishedFile:
    """A published file: name, bytes, git blob id, and SHA-256 if known."""

    name: str
    size: int
    git_blob: str
    sha256: str | None = None


# pytorch/examples on GitHub, word_language_model/data/wikitext-2.
WIKITEXT2_FILES = (
    PublishedFile("train.txt", 10_797_148, "2d84b35af79e411d73ea7cae83c73964c6ac83b4"),
    PublishedFile(
        "valid.txt",
        1_121_681,
        "eec944eb2d9e46061cd34a6913528797db6842fc",
        "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
    ),
    PublishedFile(
        "test.txt",
        1_256_449,
        "6f3fc88e4cd88456ea892971f9f12243e8428624",
        "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
    ),
)


def verify(path: Path, published: PublishedFile) -> None:
    """Raise FetchError unless a file is the published file, OSError if it cannot be read."""
    name, size = published.name, path.stat().st_size
    if size != published.size:
        raise FetchError(f"{name} must have {published.size:,} bytes, got {size:,}")
    found = digest(path, hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False))
    if found != published.git_blob:
        raise FetchError(
            f"{name} is not the published file: its git blob id must be "
            f"{published.git_blob:.12}…, got {found:.12}…"
        )
    if published.sha256 and (found := sha256_of(path)) != published.sha256:
        raise FetchError(
            f"{name} is not the published file: its sha256 must be {published.sha256:.12}…, "
            f"got {found:.12}…"
        )


def extract(archive: Path, folder: Path, files: Sequence[PublishedFile]) -> None:
    """Extract the archive's files to a folder; names in the archive are never paths.

    Raises FetchError.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for published in files:
                names = (published.name, f"wikitext-2/{published.name}")
                members = [member for member in opened.infolist() if member.filename in names]
                if len(members) != 1:
                    raise FetchError(
                        f"it must hold {published.name} once, got {len(members)} of it"
                    )
                path = folder / published.name
                with opened.open(members[0]) as content, path.open("wb") as file:
                    shutil.copyfileobj(content, Sink(file, published.name, published.size))
                verify(path, published)
    # RuntimeError: encrypted; NotImplementedError: a method of compression that zipfile lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise FetchError(f"it is damaged or no zip archive: {error}") from None
