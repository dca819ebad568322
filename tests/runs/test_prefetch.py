"""A job begun before anybody asks for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from wlm.errors import TextError
from wlm.measuring.compare import compare
from wlm.progress import Progress
from wlm.runs.execute import execute
from wlm.runs.prefetch import Prefetch
from wlm.runs.run import Run, State

STAGES = ["Loading the model", "Preparing fp32", "Preparing int8", "Warming up", "Measuring"]


def steps(taken: list[str]) -> Iterator[Progress]:
    for stage in STAGES:
        taken.append(stage)
        yield Progress(stage, 0.0)


def test_it_is_taken_from_where_it_would_measure(named):
    prefetched, taken = Prefetch(), []
    prefetched.make(named, lambda spec: steps(taken), lambda: True)
    prefetched.make(named, lambda spec: steps(taken), lambda: True)  # begun is begun
    assert taken == STAGES[:4]
    assert [step.stage for step in prefetched.take(named)] == STAGES[3:]
    assert prefetched.take(named) is None


def test_it_waits_where_something_else_is_to_be_done_and_goes_on_from_there(named):
    prefetched, taken = Prefetch(), []
    prefetched.make(named, lambda spec: steps(taken), lambda: len(taken) < 2)
    assert taken == STAGES[:2]
    assert [step.stage for step in prefetched.take(named)] == STAGES[1:]


def test_another_job_takes_its_place_and_gets_nothing_of_it(named):
    prefetched, taken = Prefetch(), []
    prefetched.make(named, lambda spec: steps(taken), lambda: True)
    assert prefetched.take(replace(named, seed=2)) is None
    assert prefetched.take(named) is None


def test_one_that_fails_is_forgotten_and_the_run_says_why(named, store):
    def fails(spec):
        yield Progress(STAGES[0], 0.0)
        raise TextError("there is no text")

    prefetched = Prefetch()
    prefetched.make(named, fails, lambda: True)
    assert prefetched.take(named) is None


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [None, 0.1])
def test_a_run_of_it_measures_what_any_other_does(named, store, seconds, monkeypatch):
    # A block is the whole text, however slow the warm-up was: no pass is cut off by the budget.
    monkeypatch.setattr("wlm.measuring.compare.BLOCK_SECONDS", 1e9)
    spec, prefetched = replace(named, seconds=seconds), Prefetch()
    prefetched.make(spec, compare, lambda: True)
    run = Run("compare", spec.to_json())
    store.create(run)
    execute(run.id, store, prefetched=prefetched)
    run = store.get(run.id)
    assert run.state == State.DONE
    *_, last = compare(spec)
    losses = [
        [row["loss"] for row in result["results"]]
        for result in (run.result, last.measured.to_json())
    ]
    assert losses[0] == losses[1]
