"""A model folder as one zip archive, the form that pages offer for download."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wlm.errors import CheckpointError, called, shown
from wlm.weights.zip_file import open_zip

# The files of a model folder.
WEIGHTS, VOCABULARY, CARD = "model.safetensors", "vocab.txt", "card.json"
MOST_FILES = 20


@contextmanager
def model_folder(path: Path) -> Iterator[Path]:
    """Provide a temporary folder with the files of a model folder's archive; other paths as they
    are.

    Nothing can become larger than the archive: its files must be stored in it, not compressed.
    Raises CheckpointError.
    """
    if not _is_archive(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="wlm-") as folder:
        try:
            _unpack(path, Path(folder))
        except Exception as error:  # a damaged archive can raise almost any exception
            raise CheckpointError(
                f"the archive {str(path)!r} cannot be read: {shown(error)}"
            ) from None
        with called({folder: str(path)}):
            yield Path(folder)


def _is_archive(path: Path) -> bool:
    """Tell whether a path is a zip archive of a model folder: a zip archive with a card."""
    if not path.is_file():  # a pipe would wait
        return False
    try:
        with open_zip(path) as archive:
            return any(Path(name).name == CARD for name in archive.namelist())
    except Exception:  # no archive or a damaged one, which `kind_of` reports
        return False


def _unpack(path: Path, folder: Path) -> None:
    """Write an archive's files into a folder, without the archive's own folders."""
    with open_zip(path) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in files):
            raise ValueError("its files are compressed: unpack it and give the folder")
        if len(files) > MOST_FILES:
            raise ValueError(f"it must have at most {MOST_FILES} files, got {len(files):,}")
        for entry in files:
            name = Path(entry.filename).name
            if name in ("", ".."):
                raise ValueError("it has an entry without a file name")
            with archive.open(entry) as file, (folder / name).open("wb") as out:
                shutil.copyfileobj(file, out)
