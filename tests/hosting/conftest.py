"""Public servers for strangers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.serving import APP, serving
from helpers.strangers import LIMITS
from helpers.tiny import save_named
from wlm.runs.store import RunStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("public")


@pytest.fixture(scope="module")
def places(folder) -> dict[str, str]:
    """The variables that name the tiny model and its texts."""
    return save_named(folder)


@pytest.fixture(scope="module")
def server(folder, places, unused_port) -> Iterator[str]:
    """The address of a server for strangers."""
    with serving(folder, unused_port(), *APP, **places, **LIMITS) as address:
        yield address


@pytest.fixture
def small_server(tmp_path, places, unused_port) -> Iterator[str]:
    """The address of one that starts two runs within an hour, of a second each."""
    limits = {**LIMITS, "WLM_RUNS_PER_SERVER": "2", "WLM_RUN_SECONDS": "1"}
    with serving(tmp_path, unused_port(), *APP, **places, **limits) as address:
        yield address


@pytest.fixture
def upload_server(tmp_path, unused_port) -> Iterator[str]:
    """The address of one that takes runs of other servers, 20 MB at once."""
    limits = {**LIMITS, "WLM_ALLOW_IMPORT": "1", "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "20"}
    with serving(tmp_path, unused_port(), *APP, **limits) as address:
        yield address


@pytest.fixture(scope="module")
def store(folder, server) -> RunStore:
    return RunStore(f"sqlite:///{folder / 'runs.sqlite'}")
