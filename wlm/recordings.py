"""Comparisons recorded beforehand, shown until a visitor's own run."""

from dataclasses import replace
from functools import cache

from wlm.assets import ASSETS
from wlm.report import from_json
from wlm.runs import Run


def recording(model: str, variants: tuple[str, str]) -> Run | None:
    """Return a recorded run that compares these two variants of a model, its result cut down to
    them, or None."""
    for run in _recordings():
        results = run.result["results"]
        others = [each for each in results[1:] if each["variant"] == variants[1]]
        if run.spec["model"] == model and results[0]["variant"] == variants[0] and others:
            return replace(run, result={**run.result, "results": [results[0], others[0]]})
    return None


@cache
def _recordings() -> list[Run]:
    paths = sorted((ASSETS / "runs").glob("*.json"))
    return [replace(from_json(path.read_text("utf-8")), origin="recorded") for path in paths]
