"""Tiny models and texts that every test may use."""

import logging
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from streamlit.components.v2 import manifest_scanner

from helpers import loaders
from helpers.mirror import FILES, Mirror, published
from helpers.postgres import Postgres, programs, running
from helpers.serving import free_port
from helpers.tiny import LINE, WORDS, tiny_model
from wlm.catalog import open as opening
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.catalog.wikitext2 import PublishedFile
from wlm.exporting import export as exporting
from wlm.hosting import Hosting, hosting
from wlm.inspecting import roofline
from wlm.measuring import machine
from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary
from wlm.uploads import checks
from wlm.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

# Tiny models gain nothing from a second thread, and lose much where another process is busy.
torch.set_num_threads(1)

# Nor does it matter which CPU is the idlest: the tests need not look for long.
machine.BUSY_SECONDS = 0.01

# A machine's ceilings are measured as well by small matrices, in no time.
roofline.SECONDS_PER_CEILING, roofline.MEMORY_ROWS = 0.001, 64
roofline.SHAPES = ((8, 64, 64), (16, 64, 64))

# AppTest would look through every installed package for components at each run of a page, which
# takes five times as long as the page.
manifest_scanner.scan_component_manifests = lambda *_, **__: []

ROOT = Path(__file__).resolve().parent.parent
SLOW_FIXTURES = {"browser", "bundled", "postgres", "wikitext2"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in a browser and the tests with the big model as slow: `tests/run.py --quick`
    leaves them out."""
    for item in items:
        if SLOW_FIXTURES & set(item.fixturenames):
            item.add_marker("slow")
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Files without a slow one come last: the processes end at about the same time.
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist may be missing or off
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    from helpers.together import Together

    return Together(config, log)


def pytest_collection_finish() -> None:
    """Let pytest hear all loggers in one place. Else it gives each that keeps to itself, some 120
    of Streamlit's and PyTorch's, a handler and takes it away, three times a test."""
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.propagate = True


@pytest.fixture(scope="session", autouse=True)
def in_the_projects_folder() -> None:
    """Wherever the tests were started: Streamlit's configuration and child processes need it."""
    os.chdir(ROOT)


@pytest.fixture(autouse=True)
def own_database(tmp_path, monkeypatch) -> str:
    """A store of each test's own: none writes to the user's."""
    url = f"sqlite:///{tmp_path / 'store' / 'runs.sqlite'}"
    monkeypatch.setenv("WLM_DATABASE_URL", url)
    return url


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    """A cache of each test's own: none writes to the user's, or reads what another made."""
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch) -> Path:
    """A new folder per test for fetched files, and no server to fetch from."""
    folder = tmp_path / "data"
    monkeypatch.setenv("WLM_DATA", str(folder))
    monkeypatch.setenv("WLM_MIRROR", str(tmp_path / "no-mirror"))
    return folder


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(WORDS)


@pytest.fixture
def model() -> LSTMModel:
    return tiny_model()


@pytest.fixture
def model_folder(tmp_path, model, vocabulary) -> Path:
    """A saved tiny model, in a folder that WLM_MODELS may name."""
    folder = tmp_path / "models" / "tiny"
    save_checkpoint(folder, model, vocabulary, {"name": "tiny"}, dtype=torch.float32)
    return folder


@pytest.fixture
def text_file(tmp_path) -> Path:
    """A text of 40 lines, 16 tokens each with <eos>, in a folder that WLM_TEXTS may name."""
    path = tmp_path / "texts" / "short.txt"
    path.parent.mkdir()
    path.write_text(LINE * 40, "utf-8")
    return path


@pytest.fixture(scope="session")
def wikitext2() -> Path:
    """WikiText-2's folder, where WLM_WIKITEXT2 names one: it is not part of the project."""
    if not (folder := os.environ.get("WLM_WIKITEXT2")):
        pytest.skip("WLM_WIKITEXT2 names no folder with WikiText-2")
    return Path(folder)


@pytest.fixture
def public(monkeypatch) -> Iterator[Callable[..., None]]:
    """Makes this a server for strangers, with these settings by their names."""

    def make(**settings) -> None:
        for field in fields(Hosting):
            if (value := {"public": 1, **settings}.get(field.name)) is not None:
                monkeypatch.setenv(field.metadata["variable"], str(value))
        hosting.cache_clear()

    yield make
    hosting.cache_clear()


@pytest.fixture(scope="session")
def unused_port() -> Callable[[], int]:
    """Finds a port of this machine that nobody listens on."""
    return free_port


@pytest.fixture(scope="session")
def postgres(unused_port) -> Iterator[Postgres]:
    """A PostgreSQL server; each test makes a new database on it."""
    if programs() is None:
        reason = "no PostgreSQL: tests/run.py tells how it looks for one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with running(unused_port()) as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'runs.sqlite'}"


@pytest.fixture
def postgres_url(postgres) -> str:
    return postgres.new_database()


@pytest.fixture(params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.slow)])
def url(request) -> str:
    """An empty database's address, of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def bundled() -> Checkpoint:
    """The bundled model of 33,278 words: slow, and shared, so that no test may change it."""
    from helpers.made_once import bundled_model

    return bundled_model()


@pytest.fixture
def queue(tmp_path, model_folder, text_file, monkeypatch):
    """A queue that runs nothing; pages also offer a tiny model and a short text. The tests share
    the bundled model and its variants, as visitors do."""
    import streamlit as st

    from helpers.driver import IdleQueue
    from helpers.made_once import held_model
    from view.shared import server, singleton
    from wlm.runs.store import RunStore

    queue = IdleQueue(RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}"))
    monkeypatch.setattr(server, "job_queue", lambda: queue)
    open_named = server._open
    monkeypatch.setattr(
        server, "_open", lambda name: held_model() if name == DEFAULT_MODEL else open_named(name)
    )
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    st.cache_data.clear()
    st.cache_resource.clear()
    singleton.forget_all()
    return queue


@pytest.fixture
def result(queue) -> dict:
    """A finished comparison of the tiny model."""
    from helpers.made_once import tiny_comparison

    return deepcopy(tiny_comparison())


@pytest.fixture(scope="session")
def tiny_corpus() -> tuple[PublishedFile, ...]:
    return tuple(published(name, content) for name, content in FILES.items())


@pytest.fixture
def mirror(tiny_corpus, monkeypatch):
    """A mirror with a tiny corpus and weights that fit it instead of the published ones."""
    monkeypatch.setattr("wlm.catalog.wikitext2.WIKITEXT2_FILES", tiny_corpus)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Mirror() as mirror:
        mirror.files.update(FILES)
        monkeypatch.setenv("WLM_MIRROR", mirror.url)
        yield mirror


@pytest.fixture
def separate_processes() -> None:
    """Read files of others, and run exports' load.py, in separate processes, as for users."""


@pytest.fixture(autouse=True)
def one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files of others, and run exports' load.py, in this process: another one takes seconds
    to import PyTorch."""
    if "separate_processes" not in request.fixturenames:
        for module in (opening, checks):
            monkeypatch.setattr(module, "load_limited", load_checkpoint)
        monkeypatch.setattr(exporting, "_run_loader", loaders.run_here)
