"""A model folder as one zip archive, as pages hand it out."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wlm.errors import CheckpointError
from wlm.weights.pickled import reason

CARD = "card.json"
MOST_FILES = 20


def is_archive(path: Path) -> bool:
    """Tell whether a path is a zip archive of a model folder: one with a card."""
    if not path.is_file():  # a pipe would wait
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == CARD for name in archive.namelist())
    except Exception:  # none or a damaged one, which is for others to say
        return False


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give a folder with an archive's files, whose own folders are left out.

    Nothing can become larger than the archive: its files must be stored in it, not compressed.
    Raises CheckpointError.
    """
    with tempfile.TemporaryDirectory(prefix="wlm-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                files = [each for each in archive.infolist() if not each.is_dir()]
                if any(each.compress_type != zipfile.ZIP_STORED for each in files):
                    raise ValueError("its files are compressed: unpack it and give the folder")
                if len(files) > MOST_FILES:
                    raise ValueError(f"it must have at most {MOST_FILES} files, got {len(files):,}")
                for each in files:
                    place = Path(folder) / Path(each.filename).name
                    place.write_bytes(archive.read(each))
        except Exception as error:  # a damaged archive raises nearly anything
            raise CheckpointError(
                f"the archive {str(path)!r} cannot be read: {reason(error)}"
            ) from None
        yield Path(folder)
