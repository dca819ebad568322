"""A run done in this process."""

import gc
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from wlm.measuring import memory
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.memories import MemorySpec
from wlm.measuring.memory import Memory
from wlm.model.lstm import LSTMModel
from wlm.progress import Progress
from wlm.runs.execute import KINDS, execute
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore


class Measured:
    def to_json(self) -> dict:
        return {"blocks": 1}


def run_of(job: Callable, spec: CompareSpec, store: RunStore, monkeypatch, **options) -> Run:
    """Execute a run whose job is another one, which is given its id; return how it has ended."""
    run = Run("compare", spec.to_json())
    monkeypatch.setitem(KINDS, "compare", (CompareSpec, lambda spec: job(run.id)))
    store.create(run)
    execute(run.id, store, **options)
    return store.get(run.id)


def test_a_defect_fails_the_run_without_its_details(store, named, monkeypatch, caplog):
    def broken(run_id):
        raise RuntimeError("internal detail")

    run = run_of(broken, named, store, monkeypatch)
    assert run.state == State.FAILED
    assert "internal detail" not in run.message
    assert "internal detail" in caplog.text


def test_a_run_that_takes_too_much_memory_fails_and_keeps_what_it_measured(
    store, named, monkeypatch
):
    def large(run_id):
        yield Progress("Measuring", 0.1, measured=Measured())
        raise MemoryError

    ended = run_of(large, named, store, monkeypatch)
    assert (ended.state, ended.result) == (State.FAILED, {"blocks": 1})
    assert ended.message == "There is not enough memory for this run."


def test_a_run_that_is_stopped_takes_no_step_more_and_keeps_what_it_measured(
    store, named, monkeypatch
):
    def job(run_id):
        yield Progress("Measuring", 0.1, measured=Measured())
        store.update(run_id, stop_requested=True)
        yield Progress("Measuring", 0.2)
        raise AssertionError("it goes on")

    ended = run_of(job, named, store, monkeypatch)
    assert (ended.state, ended.done, ended.result) == (State.STOPPED, 0.1, {"blocks": 1})
    assert ended.message == ""


def test_a_run_that_has_begun_is_not_done_again(store, named):
    run = Run("compare", named.to_json(), state=State.DONE, result={"kept": True})
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id) == run


@pytest.mark.slow
def test_a_run_leaves_no_model_behind(store, named):
    def models() -> int:
        gc.collect()
        return sum(type(thing) is LSTMModel for thing in gc.get_objects())

    before = models()
    run = Run(named.kind, named.to_json())
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id).state == State.DONE
    assert models() == before


def test_a_run_does_not_end_before_it_began(store, named, monkeypatch):
    clock = iter(range(1_000_000, 0, -3600))  # it steps back by an hour each time it is asked
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    run = Run("compare", named.to_json())
    store.create(run)
    execute(run.id, store)
    run = store.get(run.id)
    assert run.state == State.DONE and run.finished_at >= run.started_at


def test_a_run_whose_server_is_gone_is_left_as_it_was_marked(store, named, monkeypatch):
    """A cluster's worker goes on for a step after another server has marked it."""

    def job(run_id):
        yield Progress("Measuring", 0.1)
        store.update(run_id, state=State.INTERRUPTED, message="gone")
        yield Progress("Measuring", 0.2)
        raise AssertionError("it goes on")

    ended = run_of(job, named, store, monkeypatch)
    assert (ended.state, ended.done) == (State.INTERRUPTED, 0.1)


@pytest.mark.parametrize(("seconds", "allowed"), [(None, 5), (4.0, 10)])
def test_a_run_measures_no_longer_than_its_server_allows(
    store, named, monkeypatch, seconds, allowed
):
    """One that knows its own end is given time to reach it."""
    now = [0.0]

    class MeasuredNow:
        def to_json(self) -> dict:
            return {"at": now[0]}

    def job(run_id):
        now[0] = 1_000.0  # making it ready counts nothing
        while True:
            yield Progress("Measuring", 0.1, measured=MeasuredNow())
            now[0] += 1.0

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    ended = run_of(job, replace(named, seconds=seconds), store, monkeypatch, most_seconds=5.0)
    assert ended.state == State.STOPPED
    assert ended.message == f"This server ends a run after {allowed} s of measuring"
    assert ended.result == {"at": 1_001.0 + allowed}


def test_a_run_of_memory_ends_with_the_memory_of_each_variant(store, named, monkeypatch):
    found = Memory(2_000_000, 3_000_000, "USS")
    monkeypatch.setattr(memory, "_measure", lambda *_: iter([None, found]))
    run = Run("memory", MemorySpec(("fp32", "int8"), "tiny").to_json())
    store.create(run)
    execute(run.id, store)
    ended = store.get(run.id)
    assert ended.state == State.DONE, ended.message
    rows = ended.result["results"]
    assert [row["variant"] for row in rows] == ["fp32", "int8"]
    assert rows[1]["memory"] == vars(found)
