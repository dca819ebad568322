"""python -m wlm evaluate."""

import json

import pytest
import torch

from helpers.command_line import run_json
from wlm.cli.main import main
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant


def test_evaluate_prints_one_result(capsys, text_file):
    arguments = ["--model", "tiny", "--text", str(text_file), "--tokens", "50"]
    result = run_json(capsys, "evaluate", "--variants", "int8", *arguments)
    both = run_json(capsys, "compare", *arguments)
    assert result["variant"] == "int8"
    assert result["loss"] == both["results"][1]["loss"]


@pytest.mark.slow
def test_a_whole_module_is_evaluated_and_it_is_said_how_it_was_read(
    capsys, tmp_path, model, model_folder
):
    torch.save({"epoch": 3, "model": model}, tmp_path / "model.pt")
    bare = ["--model", str(tmp_path / "model.pt"), "--vocabulary", str(model_folder / "vocab.txt")]
    same = run_json(capsys, *"evaluate --model tiny --text short".split())
    assert main(["evaluate", *bare, "--text", "short", "--json"]) == 0
    out, err = capsys.readouterr()
    said = "from a whole module, wlm.model.lstm.LSTMModel under 'model'"
    assert json.loads(out)["loss"] == same["loss"] and "weights_read" not in same
    assert json.loads(out)["weights_read"] == said
    assert err == f"wlm: weights read: {said}\n"
    sampled = run_json(capsys, "sample", *bare, "--words", "3")
    assert sampled["weights_read"] == said
    inspected = run_json(capsys, "inspect", *bare, "--text", "short", "--seconds", "0.2")
    assert inspected["protocol"]["weights_read"] == said


def test_unknown_words_are_counted_warned_of_and_left_out_of_a_second_loss(capsys, tmp_path):
    (tmp_path / "other.txt").write_text("the old lake over the sea\n" * 20, "utf-8")
    arguments = ["--model", "tiny", "--text", str(tmp_path / "other.txt")]
    result = run_json(capsys, "evaluate", *arguments)
    assert result["unknown"] == {"tokens": 40, "share": 40 / 140, "line_ends": False}
    assert result["loss_known"] != result["loss"]
    assert "28.6% of the text's words are unknown" in result["warnings"][-1]
    assert main(["compare", *arguments]) == 0
    out = capsys.readouterr().out
    assert "of known words" in out and f"{result['loss_known']:.4f}" in out
    assert "140 tokens of other, 28.6% unknown (40)" in out
    assert "warning: 28.6% of the text's words are unknown" in out


def test_unknown_words_are_counted_in_what_was_read(capsys, tmp_path):
    (tmp_path / "late.txt").write_text("the old river\n" * 25 + "a lake\n" * 25, "utf-8")
    arguments = ["--model", "tiny", "--text", str(tmp_path / "late.txt")]
    assert run_json(capsys, "evaluate", *arguments)["unknown"]["tokens"] > 0
    first = run_json(capsys, "evaluate", *arguments, "--tokens", "100")
    assert first["unknown"] == {"tokens": 0, "share": 0.0, "line_ends": False}
    # A busy machine may add other warnings.
    assert not any("unknown" in warning for warning in first["warnings"])


def test_tokens_that_a_batch_leaves_out_are_reported(capsys, tmp_path):
    (tmp_path / "47.txt").write_text("the " * 46, "utf-8")
    arguments = ["--model", "tiny", "--text", str(tmp_path / "47.txt"), "--batch-size"]
    said = "15 tokens at the end of the text are not read, so that all columns of the batch are"
    assert said in run_json(capsys, "evaluate", *arguments, "16")["warnings"][-1]
    protocol = run_json(capsys, "compare", *arguments, "16")["protocol"]
    assert (protocol["tokens"], protocol["tokens_left_out"]) == (32, 15)
    assert "1 token at the end of the text is not read" in str(
        run_json(capsys, "evaluate", *arguments, "2")["warnings"]
    )
    assert "tokens_left_out" not in run_json(capsys, "compare", *arguments, "1")["protocol"]
    assert main(["evaluate", *arguments, "16", "--json"]) == 0  # and beside the JSON, for people
    assert f"wlm: warning: {said}" in capsys.readouterr().err


def test_a_vocabulary_without_eos_is_warned_of(capsys, tmp_path, model_folder):
    words = (model_folder / "vocab.txt").read_text("utf-8").replace("<eos>", "lake")
    (tmp_path / "words.txt").write_text(words, "utf-8")
    command = f"compare --model tiny --text short --vocabulary {tmp_path / 'words.txt'} --json"
    assert main(command.split()) == 0
    out, err = capsys.readouterr()
    said = "The vocabulary has no `<eos>`: each line end is read as `<unk>`."
    assert said in json.loads(out)["warnings"]
    assert f"wlm: warning: {said}\n" in err
    assert json.loads(out)["protocol"]["unknown"]["line_ends"] is True


def test_a_quantized_model_is_evaluated_without_a_warning_of_pytorchs(
    capsys, tmp_path, model, model_folder, recwarn
):
    weights = tmp_path / "int8.pt"
    torch.save(quantize(model, Variant.parse("int8")).state_dict(), weights)
    vocabulary = str(model_folder / "vocab.txt")
    arguments = ["--model", str(weights), "--vocabulary", vocabulary, "--variants", "int8"]
    recwarn.clear()
    assert run_json(capsys, "evaluate", *arguments)["variant"] == "int8"
    assert [str(warning.message) for warning in recwarn] == []
