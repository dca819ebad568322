"""A model folder as one zip archive, the form that pages offer for download."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wlm.errors import CheckpointError, shown
from wlm.weights.zip_file import open_zip

# The files of a model folder.
WEIGHTS, VOCABULARY, CARD = "model.safetensors", "vocab.txt", "card.json"
MOST_FILES = 20


def is_archive(path: Path) -> bool:
    """Tell whether a path is a zip archive of a model folder: a zip archive with a card."""
    if not path.is_file():  # a pipe would wait
        return False
    try:
        with open_zip(path) as archive:
            return any(Path(name).name == CARD for name in archive.namelist())
    except Exception:  # no archive or a damaged one, which `kind_of` reports
        return False


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Provide a folder with an archive's files, without the archive's own folders.

    Nothing can become larger than the archive: its files must be stored in it, not compressed.
    Raises CheckpointError.
    """
    with tempfile.TemporaryDirectory(prefix="wlm-") as folder:
        try:
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
                    with archive.open(entry) as file, (Path(folder) / name).open("wb") as out:
                        shutil.copyfileobj(file, out)
        except Exception as error:  # a damaged archive can raise almost any exception
            raise CheckpointError(
                f"the archive {str(path)!r} cannot be read: {shown(error)}"
            ) from None
        yield Path(folder)
