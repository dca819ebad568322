"""The memory of a variant: measured in another process, against code that reads Linux's numbers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wlm.catalog.open import open_model
from wlm.cli.main import main
from wlm.errors import WLMError
from wlm.inspecting import memory
from wlm.inspecting.memory import Memory, memory_of
from wlm.quantization.variant import Variant

ROOT = Path(__file__).resolve().parents[2]
MODEL = "random-256"
BY_HAND = """
import ctypes, gc, sys
import torch
from wlm.catalog.open import open_model
from wlm.quantization.prepare import prepare

def private():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024

torch.set_num_threads(1)
before = private()
model = open_model(sys.argv[1]).model
if sys.argv[2] == "int8":
    model = torch.ao.quantization.quantize_dynamic(
        model, {torch.nn.LSTM, torch.nn.Linear}, dtype=torch.qint8
    )
hidden = model.init_hidden(1)
with torch.inference_mode():
    for i in range(4):
        output, hidden = model(torch.arange(25).view(-1, 1), hidden)
        torch.nn.functional.cross_entropy(output.view(25, -1), torch.arange(25))
del output, hidden
print(private() - before)
"""


@pytest.fixture(autouse=True)
def tiny(model_folder, monkeypatch) -> None:
    """Find the tiny model by its name."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux reports it")
@pytest.mark.parametrize("name", ["fp32", "int8"])
def test_memory_is_within_a_tenth_of_a_process_measured_by_hand(own_cache, name):
    done = subprocess.run(
        [sys.executable, "-c", BY_HAND, MODEL, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = memory_of(open_model(MODEL), Variant.parse(name), MODEL)
    assert found.measure == "USS"
    assert found.added_bytes == pytest.approx(int(done.stdout), rel=0.1)
    assert found.peak_bytes >= found.added_bytes


def test_a_variant_is_measured_once_per_weights_and_versions(own_cache, monkeypatch):
    measured = []

    def measure(variant, model, *_):
        measured.append((str(variant), model))
        return Memory(2, 3, "USS")

    monkeypatch.setattr(memory, "_measure", measure)
    checkpoint = open_model("tiny")
    for name in ("int8", "int8", "fp32"):
        assert memory_of(checkpoint, Variant.parse(name), "tiny") == Memory(2, 3, "USS")
    assert measured == [("int8", "tiny"), ("fp32", "tiny")]
    monkeypatch.setattr(memory, "_versions", lambda: "other")
    memory_of(checkpoint, Variant.parse("int8"), "tiny")
    assert len(measured) == 3


@pytest.mark.slow
def test_a_process_that_fails_gets_a_clear_error(own_cache):
    with pytest.raises(WLMError, match=r"the memory of fp32 cannot be measured: .*nowhere"):
        memory_of(open_model("tiny"), Variant(), "nowhere")


def test_size_adds_memory_on_request(own_cache, monkeypatch, capsys):
    monkeypatch.setattr(memory, "_measure", lambda *_: Memory(2_000_000, 3_000_000, "RSS"))
    arguments = ["size", "--model", "tiny", "--variants", "fp32", "--memory"]
    assert main([*arguments, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["memory"] == {"added_bytes": 2_000_000, "peak_bytes": 3_000_000, "measure": "RSS"}
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "memory (MB)" in printed.out and "private memory" in printed.err
