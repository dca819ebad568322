"""Where things are on this machine: what is bundled, fetched, uploaded, cached and stored."""

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"


def data_folder() -> Path:
    """Return where what was fetched is kept: the folder WLM_DATA, or one in the user's data."""
    return Path(os.environ.get("WLM_DATA") or _user_data())


def uploads_folder() -> Path:
    """Return where visitors' uploads are kept, a folder for each."""
    return data_folder() / "uploads"


def cache_folder() -> Path:
    """Return where files that can be made again are kept: the folder WLM_CACHE, or one in the
    user's cache folder."""
    return Path(os.environ.get("WLM_CACHE") or platformdirs.user_cache_dir("wlm", appauthor=False))


def database_url() -> str:
    """Return WLM_DATABASE_URL, or the SQLite file in the user's data directory."""
    return os.environ.get("WLM_DATABASE_URL") or f"sqlite:///{_user_data() / 'runs.sqlite'}"


def shown_path(path: Path) -> str:
    """Return a path as pages show it: bundled ones from the project's root, uploads by name."""
    for root in (ROOT, uploads_folder()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return str(path)


def _user_data() -> Path:
    return Path(platformdirs.user_data_dir("wlm", appauthor=False))
