"""Are there the right packages, writable folders, free disk and free memory?"""

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from wlm.checking.finding import Finding
from wlm.paths import ROOT, cache_folder, data_folder, uploads_folder

OLDEST_PYTHON = (3, 11)
REQUIREMENTS = ROOT / "requirements.txt"
LEAST_DISK_GB = 2.0  # the cache takes 1, uploads as much
LEAST_MEMORY_GB = 1.0  # server and worker with one visitor, and the worker's largest runs


def look_at_packages() -> Iterator[Finding]:
    """Find Python's version, and the packages that are missing or of another version than the app
    was tested with."""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    todo = f"install Python {oldest} or newer"
    yield Finding("Python", sys.version_info >= OLDEST_PYTHON, platform.python_version(), todo)
    lines = map(str.strip, REQUIREMENTS.read_text("utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    problems = list(filter(None, map(_problem, wanted)))
    found = "; ".join(problems) or f"{len(wanted)} have the versions in {REQUIREMENTS.name}"
    yield Finding("packages", not problems, found, "pip install -r requirements.txt")


def _problem(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    # A local version, such as 2.13.0+cpu, is the release that it says it is.
    right = wanted.specifier.contains(found, prereleases=True)
    return "" if right else f"{wanted.name} must be {wanted.specifier}, got {found}"


def look_at_folders() -> Iterator[Finding]:
    """Write to the folders, and look at free disk and memory."""
    for what, variable, folder in (
        ("data folder", "WLM_DATA", data_folder()),
        ("uploads", "WLM_DATA", uploads_folder()),
        ("cache folder", "WLM_CACHE", cache_folder()),
    ):
        problem = _why_unwritable(folder)
        todo = f"set {variable} to a writable folder"
        yield Finding(what, not problem, problem or f"{folder} is writable", todo)
    free = shutil.disk_usage(_existing(cache_folder())).free / 1e9
    found, todo = f"{free:.1f} GB free", f"free at least {LEAST_DISK_GB:.0f} GB"
    yield Finding("disk", free >= LEAST_DISK_GB, found, todo)
    left = psutil.virtual_memory().available / 1e9
    found, todo = f"{left:.1f} GB free", f"close programs until {LEAST_MEMORY_GB:.0f} GB are free"
    yield Finding("memory", left >= LEAST_MEMORY_GB, found, todo)


def _why_unwritable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"wlm")
    except OSError as error:
        return f"{folder} is not writable: {error.strerror or error}"
    return ""


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
