"""A run done in this process."""

import gc
import time

import pytest

from wlm.measuring.comparison import CompareSpec
from wlm.model.lstm import LSTMModel
from wlm.runs.execute import KINDS, execute
from wlm.runs.run import Run, State


def test_a_defect_fails_the_run_without_its_details(store, named, monkeypatch, caplog):
    def broken(spec):
        raise RuntimeError("internal detail")

    monkeypatch.setitem(KINDS, "compare", (CompareSpec, broken))
    run = Run("compare", named.to_json())
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id).state == State.FAILED
    assert "internal detail" not in store.get(run.id).message
    assert "internal detail" in caplog.text


def test_a_run_that_has_begun_is_not_done_again(store, named):
    run = Run("compare", named.to_json(), state=State.DONE, result={"kept": True})
    store.create(run)
    execute(run.id, store)
    assert store.get(run.id) == run


@pytest.mark.slow
def test_a_run_leaves_no_model_behind(store, named):
    def models() -> int:
        gc.collect()
        return sum(type(each) is LSTMModel for each in gc.get_objects())

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
