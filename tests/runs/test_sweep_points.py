"""A sweep's points as runs: each value's, the missing ones, and the time they take."""

from dataclasses import replace

import pytest

from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.run import Run, State
from wlm.runs.sweep_points import current_points, missing_points, seconds_left

SPEC = SweepSpec("hidden", (8, 16, 32))


def run(i: int, state: State, **fields) -> Run:
    """A run of SPEC's i-th point."""
    return Run("compare", SPEC.points()[i].to_json(), state=state, **fields)


def test_each_value_has_its_latest_run_that_is_done_or_else_its_latest():
    failed, again = run(0, State.FAILED), run(0, State.RUNNING)
    done, stopped = run(1, State.DONE), run(1, State.STOPPED)
    assert current_points(SPEC, [failed, done, stopped, again]) == [again, done, None]


@pytest.mark.parametrize(
    ("state", "is_missing"),
    [
        (State.QUEUED, False),
        (State.RUNNING, False),
        (State.DONE, False),
        (State.STOPPED, True),
        (State.FAILED, True),
        (State.INTERRUPTED, True),
    ],
)
def test_only_points_that_are_not_done_nor_on_their_way_are_missing(state, is_missing):
    others = [run(1, State.DONE), run(2, State.DONE)]
    missing = missing_points(SPEC, [run(0, state), *others])
    assert missing == (SPEC.points()[:1] if is_missing else [])
    assert missing_points(SPEC, others) == SPEC.points()[:1]


def test_the_time_left_adds_up_what_is_unfinished():
    spec = replace(SPEC, base=CompareSpec(seconds=5.0))
    runs = [run(0, State.DONE), run(1, State.RUNNING, seconds_left=2.5), run(2, State.QUEUED)]
    assert seconds_left(spec, runs) == 2.5 + 5.0 + CompareSpec.preparation_seconds
    assert seconds_left(replace(SPEC, base=CompareSpec()), runs) is None
