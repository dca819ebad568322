"""python -m wlm sweep."""

import json
import re
from pathlib import Path

import pytest

from helpers.command_line import interrupted, run_json
from wlm.cli.main import main
from wlm.progress import Progress

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_sweep_prints_a_comparison_a_value_with_the_documented_keys(capsys):
    arguments = "sweep --model tiny --text short --seconds 0.2 --over bptt=5,2".split()
    content = run_json(capsys, *arguments, "--variants", "fp32", "pytorch:lstm=int8")
    assert (content["over"], content["values"]) == ("bptt", [2, 5])
    assert [point["value"] for point in content["points"]] == [2, 5]
    assert [point["protocol"]["bptt"] for point in content["points"]] == [2, 5]
    assert content["machine"] == content["points"][0]["machine"]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    for key in {**content, **content["points"][0], **content["machine"]}:
        assert f"`{key}`" in documented
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^bptt +variant +tokens/s +speed-up +verdict$", printed, re.MULTILINE)
    assert re.search(r"^5 +int8 LSTM \+ Linear +[\d,]+ +\d", printed, re.MULTILINE)


class Measured:
    def to_json(self) -> dict:
        return {"machine": {}}


@pytest.mark.parametrize(
    ("at", "begun", "measured"),
    [(1, False, None), (1, True, [1]), (2, False, [1]), (2, True, [1, 2])],
)
def test_ctrl_c_keeps_what_a_sweep_has_measured(capsys, monkeypatch, at, begun, measured):
    def compare(spec):
        if (spec.bptt, begun) == (at, False):
            raise KeyboardInterrupt
        yield Progress("Measuring", 0.5, measured=Measured())
        if spec.bptt == at:
            raise KeyboardInterrupt

    monkeypatch.setattr("wlm.measuring.compare.compare", compare)
    code = main(["sweep", "--over", "bptt=1,2,3", "--json"])
    printed, errors = capsys.readouterr()
    if measured is None:
        assert (code, printed) == (130, "") and "stopped" in errors
        return
    content = json.loads(printed)
    assert code == 0 and errors.count("stopped early; this is what was measured") == 1
    assert [point["value"] for point in content["points"]] == measured


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep_with_the_points_that_were_measured():
    arguments = "sweep --model tiny --text short --seconds 1 --over bptt=1,2,3,4,5,6,7,8,9,10,11,12"
    printed, errors = interrupted(b"(2 of 12)", *arguments.split(), "--json")
    assert b"stopped early" in errors
    content = json.loads(printed)
    assert content["values"] == list(range(1, 13))
    assert [point["value"] for point in content["points"]] == list(
        range(1, len(content["points"]) + 1)
    )
    assert 0 < len(content["points"]) < 12
