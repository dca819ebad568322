"""The recordings that ship with the app: taken as they are, so they must be right."""

import math
from dataclasses import replace

import pytest

from wlm.measuring.comparison import CompareSpec
from wlm.measuring.wording import disturbances
from wlm.runs.import_run import from_json
from wlm.runs.recordings import FOLDER, recording, recordings


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_recording_agrees_with_its_blocks(path):
    shown, computed = recordings()[f"recorded-{path.stem}"], from_json(path.read_text("utf-8"))
    # A recording may be older than a setting, which then has its default.
    assert CompareSpec.from_json(shown.spec) == CompareSpec.from_json(computed.spec)
    assert_close(shown.result, computed.result)


def assert_close(said, found) -> None:
    """Numbers may differ in their last digits, from machine to machine."""
    if isinstance(found, dict):
        assert said.keys() == found.keys()
        for key in found:
            assert_close(said[key], found[key])
    elif isinstance(found, list):
        for one, other in zip(said, found, strict=True):
            assert_close(one, other)
    elif isinstance(found, float):
        assert math.isclose(said, found, rel_tol=1e-9)
    else:
        assert said == found


def test_a_choice_of_a_recording_warns_of_its_own_variants_alone(monkeypatch):
    whole = max(recordings().values(), key=lambda run: len(run.result["results"]))
    fp32, quiet, noisy = (
        {**row, "spread": spread, "cpu_share": 1.0}
        for row, spread in zip(whole.result["results"][:3], (0.01, 0.01, 0.5), strict=True)
    )
    results = [fp32, quiet, noisy]
    warnings = [*disturbances(results), "A text of one line."]
    run = replace(whole, result={**whole.result, "results": results, "warnings": warnings})
    monkeypatch.setattr("wlm.runs.recordings.recordings", lambda: {run.id: run})

    def warned(row: dict) -> list[str]:
        return recording(run.spec["model"], ("fp32", row["variant"])).result["warnings"]

    assert warned(quiet) == ["A text of one line."]
    assert warned(noisy) == warnings
