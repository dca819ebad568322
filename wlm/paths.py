"""Folders of this machine: bundled, fetched, uploaded, cached and stored files."""

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"


def data_folder() -> Path:
    """Return the folder of fetched files: WLM_DATA, or a folder in the user's data folder."""
    return Path(os.environ.get("WLM_DATA") or _user_data())


def uploads_folder() -> Path:
    """Return the folder of uploads, with one folder per upload."""
    return data_folder() / "uploads"


def cache_folder() -> Path:
    """Return the folder of files that wlm can make again: WLM_CACHE, or a folder in the user's
    cache folder."""
    return Path(os.environ.get("WLM_CACHE") or platformdirs.user_cache_dir("wlm", appauthor=False))


def database_url() -> str:
    """Return WLM_DATABASE_URL, or the SQLite file in the user's data folder."""
    return os.environ.get("WLM_DATABASE_URL") or f"sqlite:///{_user_data() / 'runs.sqlite'}"


def child_environment(**settings: str) -> dict[str, str]:
    """Return the environment of a child process that imports wlm: this one's with more settings."""
    path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    return {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(path)}


def shown_path(path: Path) -> str:
    """Return a path as pages show it: bundled files from the project's root, uploads by name."""
    for root in (ROOT, uploads_folder()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return str(path)


def _user_data() -> Path:
    return Path(platformdirs.user_data_dir("wlm", appauthor=False))
