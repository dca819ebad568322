"""What tests of the command line share."""

import pytest


@pytest.fixture(autouse=True)
def tiny(model_folder, text_file, monkeypatch):
    """The tiny model and the short text under their names."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
