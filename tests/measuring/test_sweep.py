"""Sweeps: values, points, resuming, and what a finished one says."""

from dataclasses import replace

import pytest

from helpers.made_up import point
from wlm.errors import SettingError
from wlm.measuring.compare import compare
from wlm.measuring.comparison import RANDOM, CompareSpec
from wlm.measuring.sweep import (
    KNOBS,
    SweepSpec,
    curves,
    machines,
    outcomes,
    parse_over,
    presets,
    sentence,
    thread_costs,
    to_json,
    warnings,
)
from wlm.measuring.wording import disturbances


def test_values_are_read_sorted_and_once():
    assert parse_over("bptt=25, 1,5,,1") == ("bptt", (25, 1, 5, 1))
    assert parse_over(" batch-size = 8 ") == ("batch_size", (8,))
    assert SweepSpec(*parse_over("bptt=25,1,5,1")).values == (1, 5, 25)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("bptt", "number of values must be a whole number from 1 to 12, got 0"),
        ("bptt=", "got 0"),
        ("layers=1,2", "must be one of bptt, batch_size, threads, hidden, got 'layers'"),
        ("=1", "got ''"),
        ("bptt=1,x", "whole numbers separated by commas, such as 1,5,25, got 'x'"),
        ("bptt=1.5", "got '1.5'"),
        ("bptt=-1", "got '-1'"),
        ("bptt=²", "got '²'"),
        ("bptt=" + "9" * 5000, "got '999"),
        ("bptt=" + ",".join(map(str, range(1, 14))), "from 1 to 12, got 13"),
        ("bptt=0,5", "the chunk length must be a whole number from 1 to 1,000, got 0"),
        ("batch_size=1,500", "the batch size must be a whole number from 1 to 256, got 500"),
        ("threads=4096", "threads must be"),
        ("hidden=0", "hidden size of random weights must be a whole number from 1 to 1,024, got 0"),
        ("hidden=2048", "got 2,048"),
    ],
)
def test_bad_values_are_said_in_words(over, message):
    with pytest.raises(SettingError) as error:
        SweepSpec(*parse_over(over))
    assert message in str(error.value) and len(str(error.value)) < 300


def test_a_knob_that_is_none_is_refused():
    message = "setting to sweep must be one of bptt, batch_size, threads, hidden, got 'layers'"
    with pytest.raises(SettingError, match=message):
        SweepSpec("layers", (1, 2))


def test_a_point_is_the_same_comparison_but_for_the_knob():
    base = CompareSpec(variants=("fp32", "pytorch:lstm=int8"), seconds=2.0, seed=7)
    spec = SweepSpec("batch_size", (4, 2), base)
    assert spec.points() == [replace(base, batch_size=2), replace(base, batch_size=4)]
    assert SweepSpec("hidden", (8,), base).points() == [replace(base, model="random-8")]
    assert SweepSpec.from_json(spec.to_json()) == spec
    assert spec.most_seconds == 2 * (2.0 + CompareSpec.preparation_seconds)
    assert SweepSpec("bptt", (1,), CompareSpec()).most_seconds is None


def test_presets_are_sweeps_of_every_knob():
    assert {preset.over for preset in presets()} == set(KNOBS)
    for preset in presets():
        SweepSpec(preset.over, preset.values, CompareSpec())


def test_a_random_model_is_compared_with_a_warning_about_its_loss():
    *_, last = compare(CompareSpec(model="random-4", tokens=50))
    content = last.measured.to_json()
    assert content["protocol"]["model"] == "random-4"
    assert "loss means nothing" in content["warnings"][-1]


SPEC = SweepSpec("hidden", (8, 16, 32))


def test_curves_and_outcomes_of_a_hand_made_sweep():
    results = [point(8, 0.7, [0.6, 0.8]), point(16, 9.0, None), point(32, 2.0, [1.9, 2.1])]
    sweep = to_json(SPEC, results)
    assert list(sweep) == ["machine", "over", "values", "points"]
    assert [point["value"] for point in sweep["points"]] == [8, 16, 32]
    rows = [row for row in curves(sweep) if row["variant"] == "int8"]
    assert [(row["value"], row["speedup"], row["low"], row["high"]) for row in rows] == [
        (8, 0.7, 0.6, 0.8),
        (16, 9.0, None, None),
        (32, 2.0, 1.9, 2.1),
    ]
    assert [row["tokens_per_s"] for row in rows] == [560.0, 14_400.0, 6400.0]
    (outcome,) = outcomes(sweep)
    assert (outcome.most["value"], outcome.least["value"], outcome.slower_at) == (32, 8, (8,))
    assert sentence("hidden", outcome) == (
        "int8: 2.0 times as fast at hidden size 32, 0.7 at hidden size 8; "
        "slower than the baseline at hidden size 8; undecided at hidden size 16."
    )


def test_a_sweep_under_way_has_the_points_that_there_are():
    sweep = to_json(SPEC, [None, point(16, 1.5, None), None])
    assert [point["value"] for point in sweep["points"]] == [16]
    assert sentence("hidden", outcomes(sweep)[0]) == "int8: undecided at hidden size 16."
    empty = to_json(SPEC, [None] * 3)
    assert (empty["machine"], curves(empty), outcomes(empty)) == (None, [], [])


def test_a_sweep_warns_of_what_its_points_warn_of_each_once():
    noisy = point(16, 2.0, [0.1, 40.0], spread=0.3)
    results = [point(8, 2.0, [1.9, 2.1]), noisy, point(32, 2.0, [0.9, 4.0], spread=0.2)]
    for result in results:
        result["warnings"] = [*disturbances(result["results"]), RANDOM]
    assert warnings(to_json(SPEC, results)) == [
        "Something else was using this machine: blocks differ from one another by 30% (fp32, "
        "hidden size 16), 20% (fp32, hidden size 32), quartile to quartile.",
        RANDOM,
    ]


def test_a_sweep_names_the_variant_that_had_too_little_cpu_time():
    result = point(8, 2.0, [1.9, 2.1])
    fp32, int8 = result["results"]
    fp32["spread"], int8["cpu_share"] = 0.3, 0.5
    result["warnings"] = disturbances(result["results"])
    uneven, starved = warnings(to_json(SPEC, [result, None, None]))
    assert "30% (fp32, hidden size 8)" in uneven
    assert "50% (int8, hidden size 8)" in starved


def test_more_threads_cost_cpu_time_as_computed_by_hand():
    one, two = point(1, 2.0, None), point(2, 2.0, None)  # 2 threads read twice as fast
    two["results"][1]["cpu_share"] = 1.8
    points = [{"value": value, **found} for value, found in ((1, one), (2, two))]
    content = {"over": "threads", "points": points}
    assert thread_costs(content) == [
        "fp32, 2 threads instead of 1: 0.50 times the elapsed time, 0.50 times the CPU time.",
        "int8, 2 threads instead of 1: 0.50 times the elapsed time, 0.90 times the CPU time.",
    ]
    assert thread_costs({**content, "points": points[:1]}) == []
    assert thread_costs({**content, "over": "bptt"}) == []
    rows = [row for row in curves(content) if row["variant"] == "int8"]
    assert [row["elapsed_ms"] for row in rows] == [5.0, 2.5]
    assert [row["cpu_ms"] for row in rows] == [5.0, 4.5]


def test_machines_are_told_apart_by_cpu_and_host():
    results = [point(8, 1.0, None), point(16, 1.0, None, host="bb"), point(32, 1.0, None)]
    assert machines(to_json(SPEC, results)) == {
        "Test CPU, 2 CPUs, host aa": [8, 32],
        "Test CPU, 2 CPUs, host bb": [16],
    }
