"""WikiText-2: its three files in pytorch/examples with sizes and hashes, and its archive."""

import hashlib
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from wlm.catalog.download import Meter, Source, chunks_of, write_limited
from wlm.errors import FetchError
from wlm.files import digest, sha256_of

WIKITEXT2 = "wikitext-2"
PYTORCH_EXAMPLES = (
    "https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2"
)
TUTORIAL_ASSETS = "https://s3.amazonaws.com/pytorch-tutorial-assets"
ARCHIVE = "wikitext-2.zip"
MOST_ARCHIVE = 20_000_000  # bytes


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


def wikitext2_bytes() -> int:
    """Return the bytes of the three files."""
    return sum(file.size for file in WIKITEXT2_FILES)


def verify_wikitext2(folder: Path) -> None:
    """Raise FetchError or OSError unless a folder has the three published files."""
    for file in WIKITEXT2_FILES:
        verify(folder / file.name, file)


def get_wikitext2(source: Source, folder: Path) -> None:
    """Download the three files, or else the tutorial's archive, to a new folder.

    Raises FetchError.
    """
    try:
        folder.mkdir()
        meter = Meter(WIKITEXT2, wikitext2_bytes(), source.report)
        for file in WIKITEXT2_FILES:
            source.download(PYTORCH_EXAMPLES, folder / file.name, file.size, meter)
            verify(folder / file.name, file)
    except FetchError as first:
        try:
            shutil.rmtree(folder)
            folder.mkdir()
            archive = folder.with_name(ARCHIVE)
            meter = Meter(ARCHIVE, None, source.report)
            source.download(TUTORIAL_ASSETS, archive, MOST_ARCHIVE, meter)
            _extract(archive, folder)
        except FetchError as second:
            raise FetchError(f"{first}; nor from {ARCHIVE}: {second}") from None


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


def _extract(archive: Path, folder: Path) -> None:
    """Extract the archive's three files; names in the archive are never paths.

    Raises FetchError.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for published in WIKITEXT2_FILES:
                names = (published.name, f"wikitext-2/{published.name}")
                members = [member for member in opened.infolist() if member.filename in names]
                if len(members) != 1:
                    raise FetchError(
                        f"it must hold {published.name} once, got {len(members)} of it"
                    )
                path = folder / published.name
                with opened.open(members[0]) as content, path.open("wb") as file:
                    write_limited(chunks_of(content), file, published.size)
                verify(path, published)
    # RuntimeError: encrypted; NotImplementedError: a method of compression that zipfile lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise FetchError(f"it is damaged or no zip archive: {error}") from None
