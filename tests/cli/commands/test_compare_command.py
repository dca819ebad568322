"""python -m wlm compare."""

import errno
import hashlib
import json
import re
from pathlib import Path

import pytest

from helpers.command_line import interrupted, run_json
from helpers.tiny import LINE
from wlm.cli.main import main
from wlm.measuring import memory
from wlm.measuring.memory import Memory
from wlm.runs.store import RunStore

ROOT = Path(__file__).resolve().parents[3]


def test_compare_prints_one_object_with_the_documented_keys(capsys, model_folder):
    content = run_json(
        capsys,
        *"compare --model tiny --text short --variants fp32 int8 --tokens 100 --bptt 7".split(),
    )
    weights = (model_folder / "model.safetensors").read_bytes()
    read = (LINE.strip() + " <eos>").replace(" ", "\n") + "\n"  # of each of 40 lines
    read *= 40
    assert {"machine", "protocol", "results"} <= content.keys()
    assert content["protocol"] == {
        "model": "tiny",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "vocabulary_sha256": hashlib.sha256((model_folder / "vocab.txt").read_bytes()).hexdigest(),
        "text": "short",
        "text_sha256": hashlib.sha256(read.encode()).hexdigest(),
        "tokens": 100,
        "bptt": 7,
        "batch_size": 1,
        "threads": 1,
        "seed": 1,
        "seconds": None,
        "target": None,
        "unknown": {"tokens": 0, "share": 0.0, "line_ends": False},
    }
    assert [result["variant"] for result in content["results"]] == ["fp32", "int8"]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    for part in (content, content["machine"], content["protocol"], *content["results"]):
        for key in part:
            assert f"`{key}`" in documented


def test_results_keep_the_order_asked_for(capsys):
    names = ["int8", "pytorch:linear=int8", "fp32", "pytorch:lstm=int8"]
    content = run_json(
        capsys, "compare", "--model", "tiny", "--text", "short", "--variants", *names
    )
    assert [result["variant"] for result in content["results"]] == names
    sizes = run_json(capsys, "size", "--model", "tiny", "--variants", *names)
    assert [size["variant"] for size in sizes] == names
    assert [set(size) for size in sizes] == [{"variant", "label", "bytes"}] * 4
    assert [size["bytes"] for size in sizes] == [
        result["size_bytes"] for result in content["results"]
    ]


ORT = ["onnxruntime:", "onnxruntime:lstm=int8,linear=int8,embedding=int8"]


def test_onnx_runtimes_variants_are_compared_and_their_sizes_printed(capsys, own_cache):
    arguments = ["--model", "tiny", "--variants", "fp32", *ORT]
    results = run_json(capsys, "compare", "--text", "short", *arguments)["results"]
    assert [result["variant"] for result in results] == ["fp32", *ORT]
    assert [result["label"] for result in results] == ["fp32", "ORT fp32", "ORT int8 all"]
    assert results[1]["loss"] == pytest.approx(results[0]["loss"], abs=1e-5)
    assert results[2]["loss"] != results[1]["loss"]
    sizes = run_json(capsys, "size", *arguments)
    assert [size["bytes"] for size in sizes] == [result["size_bytes"] for result in results]
    assert {path.stat().st_size for path in own_cache.glob("*/*")} == {
        result["size_bytes"] for result in results[1:]
    }


def test_a_comparison_that_cannot_be_kept_is_printed_with_a_warning(capsys, monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    assert main("compare --model tiny --text short --tokens 100".split()) == 0
    captured = capsys.readouterr()
    assert "int8 LSTM" in captured.out and "kept as run" not in captured.out
    assert "warning: Runs are not kept in" in captured.err
    assert main(["runs", "list"]) == 2
    assert "Runs are not kept in" in capsys.readouterr().err


def test_a_comparison_is_printed_also_where_nothing_can_be_stored(capsys, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    monkeypatch.setattr(RunStore, "spill_url", property(full))
    assert main("compare --model tiny --text short --tokens 100".split()) == 0
    captured = capsys.readouterr()
    assert "int8 LSTM" in captured.out and "kept as run" not in captured.out
    assert "warning: no run can be stored now: No space left on device" in captured.err


@pytest.mark.slow
def test_ctrl_c_ends_a_comparison_with_what_was_measured(text_file):
    text_file.write_text(text_file.read_text("utf-8") * 2_000, "utf-8")
    arguments = "compare --model tiny --text short --json".split()
    content = json.loads(interrupted(b"Measuring", *arguments)[0])
    assert 0 < content["protocol"]["tokens"] < 640 * 2_000


def test_compare_measures_memory_and_agreement_on_request(capsys, own_cache, monkeypatch):
    found = Memory(250_000_000, 300_000_000, "USS")
    monkeypatch.setattr(memory, "_measure", lambda *_: iter([None, found]))
    arguments = ["compare", "--model", "tiny", "--text", "short", "--tokens", "100"]
    assert main([*arguments, "--memory", "--agreement"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"elapsed \(s\) +CPU \(s\) +tokens/s", printed)
    assert "fp32 250 MB (peak 300 MB), int8 LSTM + Linear 250 MB" in printed
    assert re.search(r"^agreement +same word", printed, re.MULTILINE)
    results = run_json(capsys, *arguments, "--memory")["results"]
    assert [row["memory"] for row in results] == [vars(found)] * 2
    assert not any("agreement" in row for row in results)
    assert not any("memory" in row for row in run_json(capsys, *arguments)["results"])
