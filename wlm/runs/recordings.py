"""Comparisons recorded in advance, which pages show until a visitor's own run."""

import json
from dataclasses import replace
from functools import cache

from wlm.measuring.wording import disturbances
from wlm.paths import ASSETS
from wlm.runs.run import Run, State

FOLDER = ASSETS / "runs"


@cache
def recordings() -> dict[str, Run]:
    """Return the recorded runs by id, which is `recorded-` and the file's name."""
    runs = {}
    for path in sorted(FOLDER.glob("*.json")):
        run = recorded_run(json.loads(path.read_text("utf-8"))["run"], f"recorded-{path.stem}")
        runs[run.id] = run
    return runs


def recorded_run(said: dict, id: str, **fields) -> Run:
    """Return an exported run's JSON as a recorded run with an id."""
    # Shipped with the app, so not computed again, unlike an import: a test does that.
    fields |= {"id": id, "state": State(said["state"]), "done": 1.0, "origin": "recorded"}
    return Run(**(said | fields))


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
            spec = {**run.spec, "variants": [result["variant"] for result in chosen]}
            every = disturbances(run.result["results"])
            others = [warning for warning in run.result["warnings"] if warning not in every]
            result = {
                **run.result,
                "results": chosen,
                "warnings": [*disturbances(chosen), *others],
            }
            return replace(run, spec=spec, result=result)
    return None
