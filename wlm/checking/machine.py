"""Are there writable folders, free disk and free memory?"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from wlm.checking.finding import Finding
from wlm.paths import cache_folder, data_folder, uploads_folder

LEAST_DISK_GB = 2.0  # the cache takes 1, uploads as much
LEAST_MEMORY_GB = 1.0  # server and worker with one visitor, and the worker's largest runs


def look() -> Iterator[Finding]:
    """Write to the folders, and look at free disk and memory."""
    for what, variable, folder in (
        ("data folder", "WLM_DATA", data_folder()),
        ("uploads", "WLM_DATA", uploads_folder()),
        ("cache folder", "WLM_CACHE", cache_folder()),
    ):
        problem = _why_unwritable(folder)
        todo = f"have {variable} name a folder that can be written"
        yield Finding(what, not problem, problem or f"{folder} can be written", todo)
    free = shutil.disk_usage(_existing(cache_folder())).free / 1e9
    found, todo = f"{free:.1f} GB are free", f"free {LEAST_DISK_GB:.0f} GB"
    yield Finding("disk", free >= LEAST_DISK_GB, found, todo)
    left = psutil.virtual_memory().available / 1e9
    found, todo = f"{left:.1f} GB are free", f"end programs until {LEAST_MEMORY_GB:.0f} GB are free"
    yield Finding("memory", left >= LEAST_MEMORY_GB, found, todo)


def _why_unwritable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"wlm")
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return ""


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
