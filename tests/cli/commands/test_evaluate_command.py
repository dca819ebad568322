"""python -m wlm evaluate."""

from command_line import run_json


def test_evaluate_prints_one_result(capsys, text_file):
    arguments = ["--model", "tiny", "--text", str(text_file), "--tokens", "50"]
    result = run_json(capsys, "evaluate", "--variants", "int8", *arguments)
    both = run_json(capsys, "compare", *arguments)
    assert result["variant"] == "int8"
    assert result["loss"] == both["results"][1]["loss"]
