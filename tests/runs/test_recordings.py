"""The recordings that ship with the app: taken as they are, so they must be right."""

from dataclasses import replace
from itertools import product

import pytest

from helpers.close import assert_close
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.wording import disturbances
from wlm.quantization.variant import OFFERED, Variant
from wlm.runs.import_run import from_json
from wlm.runs.recordings import FOLDER, recording, recordings


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_recording_agrees_with_its_blocks(path):
    shown, computed = recordings()[f"recorded-{path.stem}"], from_json(path.read_text("utf-8"))
    # A recording may be older than a setting, which then has its default.
    assert CompareSpec.from_json(shown.spec) == CompareSpec.from_json(computed.spec)
    assert_close(shown.result, computed.result)


@pytest.mark.parametrize("switches", list(product(("int8", "fp32"), repeat=3)))
def test_every_position_of_the_switches_and_every_offered_variant_is_recorded(switches):
    variant = str(Variant(*switches))
    assert recording(DEFAULT_MODEL, ("fp32", variant)).spec["variants"] == ["fp32", variant]
    chosen = tuple(dict.fromkeys(("fp32", *OFFERED[1:], variant)))
    assert len(recording(DEFAULT_MODEL, chosen).result["results"]) == len(chosen)


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
