"""The check of a running server."""

import itertools
from types import SimpleNamespace

import pytest

from wlm.checking import server
from wlm.runs.database import shown_url
from wlm.runs.heartbeat import worker_of
from wlm.runs.store import RunStore

ADDRESS = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def answering(monkeypatch, own_database) -> None:
    """Let the server answer, and let a second pass at each look at the clock."""
    monkeypatch.delenv("WLM_DASK", raising=False)
    monkeypatch.setattr(server, "is_healthy", lambda _: True)
    clock = SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda _: None)
    monkeypatch.setattr(server, "time", clock)


def worker_finding(monkeypatch, *living: str) -> tuple[bool, str]:
    """Return the finding about the worker while the heartbeats of `living` go on."""
    store = RunStore()
    monkeypatch.setattr(server.time, "sleep", lambda _: [*map(store.give_sign, living)])
    _, worker = server.look(ADDRESS)
    assert worker.subject == "worker"
    return worker.well, worker.found


def test_a_worker_that_gives_heartbeats_is_well(monkeypatch):
    RunStore().give_sign("a")
    assert worker_finding(monkeypatch, "a", worker_of("a")) == (True, "alive")


def test_a_worker_without_heartbeats_is_a_cross(monkeypatch):
    for name in ("a", worker_of("a"), "b", worker_of("b")):
        RunStore().give_sign(name)
    found = worker_finding(monkeypatch, "a", worker_of("a"), "b")
    assert found == (False, "no heartbeat for 15 s from the worker of b")


def test_a_worker_that_has_never_beaten_is_a_cross(monkeypatch):
    RunStore().give_sign("a")
    found = worker_finding(monkeypatch, "a")
    assert found == (False, "no heartbeat for 15 s from the worker of a")


@pytest.mark.parametrize("ended", [(), ("a", worker_of("a"))])
def test_a_server_without_a_visitor_is_well(monkeypatch, ended):
    for name in ended:
        RunStore().give_sign(name)
    well, found = worker_finding(monkeypatch)
    assert well and found.endswith(": starts with the first visitor")
    assert shown_url(RunStore().url) in found


def test_a_store_that_cannot_be_read_is_a_cross(monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    _, worker = server.look(ADDRESS)
    assert not worker.well and "/dev/null/runs.sqlite" in worker.found
    assert "WLM_DATABASE_URL" in worker.todo


def test_a_cluster_that_does_not_answer_is_a_cross(monkeypatch):
    monkeypatch.setenv("WLM_DASK", "nonsense://x")
    _, worker = server.look(ADDRESS)
    assert not worker.well and "'nonsense://x'" in worker.found
