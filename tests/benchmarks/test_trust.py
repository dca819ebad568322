"""What the benchmark of trust concludes from comparisons in processes of their own."""

import re

import numpy as np

from benchmarks.restarts import ROUNDS, interval_of, print_variances
from benchmarks.trust import Repetition, mean_nearby, print_drift, report


def content(logs: list[list[float]]) -> dict:
    """Return the parts of a comparison's JSON that the benchmark reads."""
    flat = [value for group in logs for value in group]
    blocks = ([{"wall_s": float(np.exp(log))} for log in flat], [{"wall_s": 1.0} for _ in flat])
    rows = [{"blocks": of_one, "speedup": float(np.exp(np.mean(flat)))} for of_one in blocks]
    rows[1] |= {"speedup_ci95": [0.5, 3.0], "verdict": "undecided"}
    return {"results": rows, "groups": [len(group) for group in logs]}


def test_ratios_are_read_by_group():
    repetition = Repetition.of(content([[0.1, 0.3], [0.2, 0.4]]))
    assert np.allclose(repetition.logs, [[0.1, 0.3], [0.2, 0.4]])
    assert repetition.ends == (0.5, 3.0)


def test_components_are_those_that_made_the_numbers(capsys):
    generator = np.random.default_rng(1)
    process = generator.normal(0, 0.03, (300, 1, 1))
    group = generator.normal(0, 0.02, (300, 8, 1))
    logs = process + group + generator.normal(0, 0.05, (300, 8, 2))
    report("quiet", [Repetition.of(content(of_one.tolist())) for of_one in logs])
    printed = capsys.readouterr().out
    found = [float(x) for x in re.findall(r"standard deviation [a-z, ]+: ([\d.]+)%", printed)]
    assert np.allclose(found, [5.0, 2.0, 3.0], atol=0.5)
    assert "300 of 300 (95% interval" in printed and "undecided: 300 of 300" in printed
    assert "p = 0.00" in printed


def test_processes_that_take_turns_are_told_from_drift(capsys):
    generator = np.random.default_rng(1)
    drift = generator.normal(0, 0.04, (1, 200))
    noise = generator.normal(0, 0.05, (40, 200))
    print_variances("alike", drift + noise)
    print_variances("apart", generator.normal(0, 0.03, (40, 1)) + drift + noise)
    alike, apart = capsys.readouterr().out.split("apart")
    assert re.search(r"standard deviation of a group (4\.9|5\.0)\d%", apart)
    assert re.search(r"between processes: (none found|0\.\d+%)", alike)
    assert re.search(r"between turns: [34]\.\d+% .*p = 0\.000", alike)
    assert re.search(r"between processes: [23]\.\d+% .*p = 0\.000", apart)


def test_drift_is_told_from_noise(capsys):
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.02, 10_000)
    print_drift(noise)
    print_drift(noise + np.linspace(0, 0.2, 10_000))
    steady, drifting = capsys.readouterr().out.splitlines()
    assert re.search(r"correlation -?0\.0\d, .* (1\.9|2\.0)\d%", steady)
    assert re.search(r"correlation 0\.[89]\d, .* (1\.9|2\.0)\d%", drifting)


def test_neighbors_are_the_values_before_and_after():
    assert mean_nearby([1.0, 2.0, 3.0, 9.0], 0) == 14 / 3
    assert mean_nearby([1.0, 2.0, 4.0, 100.0, 6.0, 7.0, 10.0, 50.0], 3) == 5


def test_a_process_alone_has_the_interval_of_its_groups():
    logs = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    seconds = np.stack([np.exp(logs), np.ones(5)], axis=1)[..., None].repeat(ROUNDS, axis=2)
    interval = interval_of(seconds)
    # Student's t with 4 degrees of freedom: 2.7764 times the standard error, sqrt(0.025 / 5).
    assert np.allclose(
        np.log([interval.low, interval.value, interval.high]), [0.1037, 0.3, 0.4963], atol=1e-4
    )
