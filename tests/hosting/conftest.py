"""Public servers for strangers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.serving import APP, serving
from helpers.strangers import LIMITS
from helpers.tiny import LINE, WORDS, tiny_model
from wlm.runs.store import RunStore
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import save_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    save_checkpoint(folder / "models" / "tiny", tiny_model(), Vocabulary(WORDS))
    (folder / "texts").mkdir()
    (folder / "texts" / "short.txt").write_text(LINE * 40, "utf-8")
    (folder / "texts" / "long.txt").write_text(LINE * 80_000, "utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder, unused_port) -> Iterator[str]:
    """The address of a server for strangers."""
    places = {"WLM_MODELS": str(folder / "models"), "WLM_TEXTS": str(folder / "texts")}
    with serving(folder, unused_port(), *APP, **places, **LIMITS) as address:
        yield address


@pytest.fixture
def small_server(tmp_path, folder, unused_port) -> Iterator[str]:
    """The address of one that starts two runs within an hour, of a second each."""
    places = {"WLM_MODELS": str(folder / "models"), "WLM_TEXTS": str(folder / "texts")}
    limits = {**LIMITS, "WLM_RUNS_PER_SERVER": "2", "WLM_RUN_SECONDS": "1"}
    with serving(tmp_path, unused_port(), *APP, **places, **limits) as address:
        yield address


@pytest.fixture
def upload_server(tmp_path, folder, unused_port) -> Iterator[str]:
    """The address of one that takes runs of other servers, 20 MB at once."""
    limits = {**LIMITS, "WLM_ALLOW_IMPORT": "1", "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "20"}
    with serving(tmp_path, unused_port(), *APP, **limits) as address:
        yield address


@pytest.fixture(scope="module")
def store(folder, server) -> RunStore:
    return RunStore(f"sqlite:///{folder / 'runs.sqlite'}")
