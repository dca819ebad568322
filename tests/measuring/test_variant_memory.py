"""The memory of a variant: measured in another process, against code that reads Linux's numbers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wlm.catalog.open import open_model
from wlm.cli.main import main
from wlm.errors import WLMError
from wlm.measuring import memory
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.memories import MemorySpec, measure_memory
from wlm.measuring.memory import Memory, kept_memory, memory_steps
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
    *_, found = memory_steps(open_model(MODEL), Variant.parse(name), MODEL)
    assert found.measure == "USS"
    assert found.added_bytes == pytest.approx(int(done.stdout), rel=0.1)
    assert found.peak_bytes >= found.added_bytes


def test_a_variant_is_measured_once_per_weights_and_versions(own_cache, monkeypatch):
    measured = []

    def measure(variant, model, *_):
        measured.append((str(variant), model))
        yield None
        yield Memory(2, 3, "USS")

    monkeypatch.setattr(memory, "_measure", measure)
    checkpoint = open_model("tiny")
    assert kept_memory(checkpoint, Variant(), "tiny") is None
    for name in ("int8", "int8", "fp32"):
        *_, found = memory_steps(checkpoint, Variant.parse(name), "tiny")
        assert found == Memory(2, 3, "USS")
    assert measured == [("int8", "tiny"), ("fp32", "tiny")]
    assert kept_memory(checkpoint, Variant(), "tiny") == Memory(2, 3, "USS")
    monkeypatch.setattr(memory, "_versions", lambda: "other")
    list(memory_steps(checkpoint, Variant.parse("int8"), "tiny"))
    assert len(measured) == 3


@pytest.mark.slow
def test_a_process_that_fails_gets_a_clear_error(own_cache):
    with pytest.raises(WLMError, match=r"the memory of fp32 cannot be measured: .*nowhere"):
        list(memory_steps(open_model("tiny"), Variant(), "nowhere"))


def test_size_adds_memory_on_request(own_cache, monkeypatch, capsys):
    found = Memory(2_000_000, 3_000_000, "RSS")
    monkeypatch.setattr(memory, "_measure", lambda *_: iter([found]))
    arguments = ["size", "--model", "tiny", "--variants", "fp32", "--memory"]
    assert main([*arguments, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["memory"] == {"added_bytes": 2_000_000, "peak_bytes": 3_000_000, "measure": "RSS"}
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "memory (MB)" in printed.out and "private memory" in printed.err


@pytest.mark.slow
def test_a_measurement_that_is_stopped_ends_its_process(own_cache, monkeypatch):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *given, **options):
            started.append(self)
            super().__init__(*given, **options)

    monkeypatch.setattr(memory.subprocess, "Popen", Popen)
    monkeypatch.setattr(memory, "REPORT_SECONDS", 0.0)
    steps = memory_steps(open_model("tiny"), Variant(), "tiny")
    assert next(steps) is None
    assert started[0].poll() is None
    steps.close()
    assert started[0].poll() is not None
    assert kept_memory(open_model("tiny"), Variant(), "tiny") is None


def by_name(variant, *_):
    """Memory that tells variants apart."""
    yield None
    yield Memory(len(str(variant)), 100, "USS")


def test_a_job_measures_one_variant_after_the_other(own_cache, monkeypatch):
    monkeypatch.setattr(memory, "_measure", by_name)
    steps = list(measure_memory(MemorySpec(("fp32", "pytorch:lstm=int8"), "tiny")))
    assert [step.done for step in steps] == [0.0, 0.0, 0.5, 0.5, 1.0]
    assert steps[1].stage == "Measuring the memory of fp32"
    assert steps[2].measured.to_json() == steps[3].measured.to_json()
    rows = steps[-1].measured.to_json()["results"]
    assert [(row["variant"], row["memory"]["added_bytes"]) for row in rows] == [
        ("fp32", 4),
        ("pytorch:lstm=int8", 17),
    ]
    assert rows[1]["label"] == "int8 LSTM"


def test_a_comparison_measures_memory_after_everything_is_timed(own_cache, text_file, monkeypatch):
    monkeypatch.setattr(memory, "_measure", by_name)
    spec = CompareSpec(("fp32", "int8"), "tiny", str(text_file), memory=True)
    stages, found = [], []
    for step in compare(spec):
        if step.measured:
            rows = step.measured.to_json()["results"]
            found.append([row["memory"] and row["memory"]["added_bytes"] for row in rows])
            stages.append(step.stage)
    timed = stages.index("Measuring the memory of fp32")
    assert set(stages[:timed]) == {"Measuring"}
    assert found[timed - 1] == [None, None]  # null until it is measured
    assert found[timed:] == [[None, None], [4, None], [4, None], [4, 4]]
