"""The runs of a sweep's points: the run of each value, the missing runs, and the time they take."""

from collections.abc import Sequence

from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.run import Run, State


def current_points(spec: SweepSpec, runs: Sequence[Run]) -> list[Run | None]:
    """Return each value's run: the latest that is done or, if none is done, the latest of all.

    `runs` are the sweep's, oldest first; a value whose runs were deleted has None.
    """
    by_value = []
    for point in spec.points():
        tries = [run for run in runs if run.spec == point.to_json()]
        done = [run for run in tries if run.state == State.DONE]
        by_value.append((done or tries or [None])[-1])
    return by_value


def missing_points(spec: SweepSpec, runs: Sequence[Run]) -> list[CompareSpec]:
    """Return the points to run (again): points that are not done, waiting or under way."""
    pairs = zip(spec.points(), current_points(spec, runs), strict=True)
    kept = (State.DONE, State.QUEUED, State.RUNNING)
    return [point for point, run in pairs if run is None or run.state not in kept]


def seconds_left(spec: SweepSpec, runs: Sequence[Run | None]) -> float | None:
    """Return about how long the unfinished of `current_points` take at most, one after another;
    None if each reads the text to its end."""
    if spec.base.seconds is None:
        return None
    left = [
        spec.base.most_seconds if run.seconds_left is None else run.seconds_left
        for run in runs
        if run is not None and not run.state.final
    ]
    return sum(left)
