"""The recordings that ship with the app: taken as they are, so they must be right."""

from dataclasses import replace

import pytest

from helpers.close import assert_close
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
