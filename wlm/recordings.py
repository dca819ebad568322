"""Comparisons recorded beforehand, shown until a visitor's own run."""

from dataclasses import replace
from functools import cache

from wlm.assets import ASSETS
from wlm.run_import import from_json
from wlm.runs import Run

FOLDER = ASSETS / "runs"


@cache
def recordings() -> dict[str, Run]:
    """Return the recorded runs by id, which is `recorded-` and the file's name."""
    runs = {}
    for path in sorted(FOLDER.glob("*.json")):
        run = replace(
            from_json(path.read_text("utf-8")), id=f"recorded-{path.stem}", origin="recorded"
        )
        runs[run.id] = run
    return runs


def recording(model: str, variants: tuple[str, str]) -> Run | None:
    """Return a recorded run that compares these two variants of a model, its result cut down to
    them, or None."""
    for run in recordings().values():
        results = run.result["results"]
        others = [each for each in results[1:] if each["variant"] == variants[1]]
        if run.spec["model"] == model and results[0]["variant"] == variants[0] and others:
            return replace(run, result={**run.result, "results": [results[0], others[0]]})
    return None
