"""python -m wlm export."""

import pytest

from helpers.command_line import run_json
from wlm.cli.main import main


def test_what_export_writes_has_the_loss_that_it_says(capsys, tmp_path, model_folder):
    out = str(tmp_path / "out")
    made = run_json(capsys, "export", "--model", "tiny", "--variant", "int8", "--out", out)
    assert (made["path"], made["variant"], made["format"]) == (out, "int8", "torch")
    text = ("--text", "demo", "--tokens", str(made["tokens"]))
    back = run_json(capsys, "evaluate", "--model", out, "--variants", "int8", *text)
    assert back["loss"] == made["loss"]


def test_export_says_in_a_sentence_what_it_wrote(capsys, tmp_path):
    arguments = ("--model", "tiny", "--out", str(tmp_path / "x.npz"), "--variant", "int8")
    assert main(["export", *arguments]) == 0
    said = capsys.readouterr().out
    assert "x.npz: int8 LSTM + Linear as npz, " in said
    assert "nats on 501 words of the bundled text, from its beginning" in said


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--variant", "int7"), "a variant is written"),
        (("--variant", "int8", "--format", "onnx"), "onnx is for variants of ONNX Runtime"),
        (("--variant", "int8", "--model", "nowhere"), "there is no model 'nowhere'"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_words(capsys, tmp_path, arguments, message):
    out = tmp_path / "out"
    assert main(["export", "--model", "tiny", "--out", str(out), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("command", [("evaluate",), ("compare",), ("inspect",), ("size",)])
def test_a_command_that_needs_fp32_says_that_the_model_came_quantized(capsys, tmp_path, command):
    out = str(tmp_path / "out.zip")
    assert main(["export", "--model", "tiny", "--variant", "int8", "--out", out]) == 0
    assert main([*command, "--model", out]) == 2
    assert "already quantized, imported as int8 LSTM + Linear" in capsys.readouterr().err
