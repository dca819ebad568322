"""python -m wlm inspect."""

from pathlib import Path

import pytest

from helpers.command_line import run_json

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_inspect_prints_one_object_with_the_documented_keys(capsys):
    arguments = "--model tiny --text short --bptt 7 --seconds 0.1".split()
    content = run_json(capsys, "inspect", *arguments)
    fp32, int8 = content["results"]
    assert [one["tokens"] for one in int8["passes"]] == [7, 1]
    sizes = run_json(capsys, "size", "--model", "tiny")
    assert [sum(result["parts"].values()) for result in content["results"]] == [
        size["bytes"] for size in sizes
    ]
    assert [weight["sqnr_db"] for weight in fp32["weights"]] == [None] * 6
    assert [activation["part"] for activation in int8["activations"]] == list(int8["parts"])[:-1]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    parts = [content["protocol"], content["roofline"], int8, *int8["passes"]]
    parts += [*int8["passes"][0]["modules"], *int8["weights"], *int8["activations"]]
    parts += [value for matrix in int8["weights"] for value in matrix["largest"]]
    for part in (content, *parts):
        for key in part:
            assert f"`{key}`" in documented
