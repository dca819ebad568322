"""The recordings that ship with the app: shown without computing them again, so they must be
right."""

from dataclasses import replace
from itertools import product

import pytest

from helpers.close import assert_close
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import KNOBS, SweepSpec, presets
from wlm.measuring.wording import disturbances
from wlm.paths import ASSETS
from wlm.quantization.variant import OFFERED, Variant
from wlm.runs.export import to_json
from wlm.runs.import_run import from_json
from wlm.runs.recordings import (
    RUNS_FOLDER,
    SWEEPS_FOLDER,
    recorded_points,
    recorded_sweep,
    recording,
    recordings,
    sweep_recordings,
)
from wlm.weights.checkpoint import checked_card

SWEEPS = [run for run in sweep_recordings().values() if run.kind == SweepSpec.kind]
POINTS = [run for run in sweep_recordings().values() if run.sweep]


@pytest.mark.parametrize("path", sorted(RUNS_FOLDER.glob("*.json")), ids=lambda path: path.stem)
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


def test_the_questions_have_recorded_sweeps_of_the_first_variants_offered():
    values = {preset.over: preset.values for preset in presets()}
    # A machine with one CPU cannot repeat the sweep over threads, and does not show it.
    assert {sweep.spec["over"] for sweep in SWEEPS} >= set(KNOBS) - {"threads"}
    assert {path.stem for path in SWEEPS_FOLDER.glob("*.json")} == set(KNOBS)
    for sweep in SWEEPS:
        assert tuple(sweep.spec["variants"]) == OFFERED[:3]
        # The numbers of threads depend on the machine.
        same = tuple(sweep.spec["values"]) == values[sweep.spec["over"]]
        assert same or sweep.spec["over"] == "threads"


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.id)
def test_a_recorded_sweep_has_its_points(sweep):
    points = recorded_points(sweep.id)
    assert [run.spec for run in points] == [
        point.to_json() for point in SweepSpec.from_json(sweep.spec).points()
    ]
    weights = checked_card(ASSETS / "models" / DEFAULT_MODEL)["sha256"]
    found = {run.result["protocol"].get("weights_sha256") for run in points}
    assert sweep.spec["over"] == "hidden" or found == {weights}


@pytest.mark.parametrize("run", POINTS, ids=lambda run: run.id)
def test_a_recorded_point_agrees_with_its_blocks(run):
    assert_close(run.result, from_json(to_json(run)).result)


def test_a_recorded_sweep_is_of_the_same_knob_and_model():
    spec = SweepSpec("bptt", (7,), CompareSpec(("fp32", "int8")))
    assert recorded_sweep(spec).spec["over"] == "bptt"
    other = replace(spec.base, model="mine")
    assert recorded_sweep(replace(spec, base=other)) is None
    # Random weights replace the model.
    assert recorded_sweep(SweepSpec("hidden", (8,), other)).spec["over"] == "hidden"
