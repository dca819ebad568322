"""Other people's zip archives, checked before their directory is read into memory."""

import zipfile
from pathlib import Path

MOST_DIRECTORY = 2_000_000  # bytes of the directory: 20,000 entries or more
_HEADER = 30  # bytes before an entry's name, at least


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive.

    Raises ValueError or zipfile.BadZipFile if its directory is too large, or if its entries overlap
    or hold more than the archive, as no honest archive's do.
    """
    with path.open("rb") as file:
        # The function of the standard library that finds the directory for ZipFile.
        end = zipfile._EndRecData(file)
    if end and end[zipfile._ECD_SIZE] > MOST_DIRECTORY:
        raise ValueError(
            f"its directory must have at most {MOST_DIRECTORY:,} bytes, "
            f"got {end[zipfile._ECD_SIZE]:,}"
        )
    archive = zipfile.ZipFile(path)
    place = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if entry.header_offset < place:
            archive.close()
            raise ValueError("its entries overlap")
        place = entry.header_offset + _HEADER + entry.compress_size
    return archive
