"""Where things are kept: the variables, and the user's folders without them."""

from wlm import paths
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.paths import ASSETS, cache_folder, shown_path


def test_the_default_place_is_the_users_data_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("WLM_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.database_url().endswith("wlm/runs.sqlite")
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////elsewhere.sqlite")
    assert paths.database_url() == "sqlite:////elsewhere.sqlite"


def test_without_the_variable_it_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("WLM_CACHE")
    monkeypatch.setattr(paths.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("WLM_CACHE", "")
    assert cache_folder() == tmp_path


def test_bundled_paths_are_shown_from_the_projects_root(tmp_path):
    assert shown_path(ASSETS / "models" / DEFAULT_MODEL) == f"assets/models/{DEFAULT_MODEL}"
    assert shown_path(tmp_path / "short.txt") == str(tmp_path / "short.txt")
