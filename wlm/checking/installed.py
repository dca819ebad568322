"""Is what the app needs installed, in the versions that it was tested with?"""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from wlm.checking.finding import Finding
from wlm.paths import ROOT

OLDEST_PYTHON = (3, 11)
REQUIREMENTS = ROOT / "requirements.txt"
INSTALL = "pip install -r requirements.txt"


def look() -> Iterator[Finding]:
    """Find Python's version, and the packages that are missing or of another version."""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    todo = f"install Python {oldest} or newer"
    yield Finding("Python", sys.version_info >= OLDEST_PYTHON, platform.python_version(), todo)
    lines = map(str.strip, REQUIREMENTS.read_text("utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    problems = list(filter(None, map(_problem, wanted)))
    found = "; ".join(problems) or f"{len(wanted)} packages as in {REQUIREMENTS.name}"
    yield Finding("packages", not problems, found, INSTALL)


def _problem(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    # A local version, such as 2.13.0+cpu, is the release that it says it is.
    right = wanted.specifier.contains(found, prereleases=True)
    return "" if right else f"{wanted.name} must be {wanted.specifier}, got {found}"
