"""Sweeps recorded in advance, one per knob, which Sweep shows until a visitor's own sweep."""

import json
from functools import cache

from wlm.errors import SettingError
from wlm.measuring.sweep import SweepSpec
from wlm.paths import ASSETS
from wlm.runs.recordings import recorded_run
from wlm.runs.run import Run, State

FOLDER = ASSETS / "sweeps"


@cache
def sweep_recordings() -> dict[str, Run]:
    """Return by id the recorded sweeps that this machine can repeat, each before its points."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        said, id = json.loads(path.read_text("utf-8")), f"recorded-sweep-{path.stem}"
        try:
            spec = SweepSpec.from_json(said["spec"])
        except SettingError:  # more threads than this machine has CPUs
            continue
        points = [
            # A recording may be older than a setting, which then has its default.
            recorded_run(point, f"{id}-{value}", sweep=id, spec=at.to_json())
            for value, at, point in zip(spec.values, spec.points(), said["points"], strict=True)
        ]
        first, last = points[0].created_at, points[-1].finished_at
        times = {"created_at": first, "finished_at": last}
        sweep = Run(spec.kind, spec.to_json(), id, State.DONE, done=1.0, origin="recorded", **times)
        found += [sweep, *points]
    return {run.id: run for run in found}


def recorded_points(sweep_id: str) -> list[Run]:
    """Return the runs of a recorded sweep's points; none if no recorded sweep has this id."""
    return [run for run in sweep_recordings().values() if run.sweep == sweep_id]


def recorded_sweep(spec: SweepSpec) -> Run | None:
    """Return the recorded sweep of the same knob and model, or None. Its values and variants may
    differ."""
    recorded = sweep_recordings().get(f"recorded-sweep-{spec.over}")
    # With `hidden`, random weights replace the model.
    same = recorded and (spec.over == "hidden" or recorded.spec["model"] == spec.base.model)
    return recorded if same else None
