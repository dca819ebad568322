"""Comparisons and sweeps recorded in advance, which pages show until a visitor's own run."""

import json
from dataclasses import replace
from functools import cache

from wlm.errors import SettingError
from wlm.measuring.sweep import SweepSpec
from wlm.measuring.wording import disturbances
from wlm.paths import ASSETS
from wlm.runs.run import Run, State

RUNS_FOLDER, SWEEPS_FOLDER = ASSETS / "runs", ASSETS / "sweeps"


@cache
def recordings() -> dict[str, Run]:
    """Return the recorded comparisons by id, which is `recorded-` and the file's name."""
    runs = {}
    for path in sorted(RUNS_FOLDER.glob("*.json")):
        run = _recorded(json.loads(path.read_text("utf-8"))["run"], f"recorded-{path.stem}")
        runs[run.id] = run
    return runs


def recording(model: str, variants: tuple[str, ...]) -> Run | None:
    """Return a recorded run that compares these variants of a model, baseline first, with only
    these variants, or None."""
    for run in recordings().values():
        baseline, *others = run.result["results"]
        found = {result["variant"]: result for result in others}
        if (
            run.spec["model"] == model
            and baseline["variant"] == variants[0]
            and found.keys() >= set(variants[1:])
        ):
            chosen = [baseline, *(found[name] for name in variants[1:])]
            every = disturbances(run.result["results"])
            kept = [warning for warning in run.result["warnings"] if warning not in every]
            warnings = [*disturbances(chosen), *kept]
            result = {**run.result, "results": chosen, "warnings": warnings}
            return replace(run, spec={**run.spec, "variants": list(variants)}, result=result)
    return None


@cache
def sweep_recordings() -> dict[str, Run]:
    """Return by id the recorded sweeps, one per knob, that this machine can repeat, each before its
    points."""
    found = []
    for path in sorted(SWEEPS_FOLDER.glob("*.json")):
        said, id = json.loads(path.read_text("utf-8")), f"recorded-sweep-{path.stem}"
        try:
            spec = SweepSpec.from_json(said["spec"])
        except SettingError:  # more threads than this machine has CPUs
            continue
        points = [
            # A recording may be older than a setting, which then has its default.
            _recorded(point, f"{id}-{value}", sweep=id, spec=at.to_json())
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


def _recorded(said: dict, id: str, **fields) -> Run:
    """Return an exported run's JSON as a recorded run with an id."""
    # Shipped with the app, so not computed again, unlike an import: a test does that.
    fields |= {"id": id, "state": State(said["state"]), "done": 1.0, "origin": "recorded"}
    return Run(**(said | fields))
