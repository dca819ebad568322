"""PyTorch's engine is one setting for all threads, and some builds choose no engine."""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import pytest
import torch

from wlm.explaining.integers import highest_level
from wlm.quantization.engines import default_engine, packing_for, quiet, supported_engines
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant

ROOT = Path(__file__).resolve().parents[2]
INT8, FP16 = Variant.parse("int8"), Variant.parse("pytorch:lstm=fp16,linear=fp16")
# Makes a PyTorch that supports qnnpack (2) and has chosen no engine (0). Python runs it first, in
# the subprocesses of a program too.
APPLE = """
import torch
chosen, choose_here = [0], torch._C._set_qengine
def choose(engine):
    assert engine in (0, 2), engine
    chosen[0] = engine
    choose_here(engine or 4)  # a PyTorch that was built with x86 refuses to choose none
torch._C._supported_qengines = lambda: [2, 0]
torch._C._get_qengine, torch._C._set_qengine = lambda: chosen[0], choose
"""


def in_thread(do):
    """Return what a call returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(do()), daemon=True)
    thread.start()
    thread.join(60)
    return found[0]


needs_two = pytest.mark.skipif(
    not {"x86", "qnnpack"} <= set(supported_engines()), reason="this machine has one engine"
)


@needs_two
def test_while_a_thread_packs_for_another_engine_the_others_see_their_own(model):
    def seen():
        return default_engine(), highest_level(), why_unavailable(FP16)

    int8, row = prepare(model, INT8), torch.linspace(-1.3, 2.1, model.config.nhid)
    before, expected = seen(), int8.multiplied("rnn.weight_hh_l0", row)
    packing, done = threading.Event(), threading.Event()

    def pack():
        with packing_for("qnnpack"):
            packing.set()
            done.wait(60)

    thread = threading.Thread(target=pack)
    thread.start()
    packing.wait(60)
    try:
        assert torch.backends.quantized.engine == "qnnpack"
        assert seen() == before
        product = threading.Thread(target=lambda: results.append(multiply()), daemon=True)
        results, multiply = [], lambda: int8.multiplied("rnn.weight_hh_l0", row)
        product.start()  # it waits for the other thread
    finally:
        done.set()
        thread.join(60)
    product.join(60)
    assert torch.equal(results[0], expected)
    assert torch.backends.quantized.engine == default_engine()


@needs_two
@pytest.mark.parametrize("engine", ["x86", "qnnpack"])
def test_products_are_computed_by_the_engine_of_the_model(model, engine):
    made = prepare(model, Variant(lstm="int8", linear="int8", engine=engine))
    row = torch.linspace(-1.3, 2.1, model.config.nhid)
    with packing_for(engine):
        numbers = made.numbers()
        weight, bias = numbers["rnn.weight_hh_l0"], numbers["rnn.bias_hh_l0"]
        packed = torch.ops.quantized.linear_prepack(weight, bias)
    expected = torch.ops.quantized.linear_dynamic(row.view(1, -1), packed, True)[0]
    assert torch.equal(in_thread(lambda: made.multiplied("rnn.weight_hh_l0", row)), expected)


def run(code: str, *arguments: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(APPLE, "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", "import torch\n" + code, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


on_apple = pytest.mark.skipif("qnnpack" not in supported_engines(), reason="no qnnpack here")


@pytest.mark.slow
@on_apple
def test_an_engine_that_pytorch_left_off_is_used_everywhere():
    code = """
import json
from wlm.catalog.open import open_model
from wlm.checking.engines import look
from wlm.explaining.integers import highest_level
from wlm.measuring.machine import describe_machine
from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import prepare, slow_here, why_unavailable
from wlm.quantization.variant import OFFERED, Variant
model = LSTMModel(20, 8, 6, 2).eval()
made = prepare(model, Variant.parse("int8"))
made(torch.arange(5).view(5, 1), made.init_hidden(1))
print(json.dumps({
    "unavailable": {name: why_unavailable(Variant.parse(name)) for name in OFFERED},
    "slow": {name: slow_here(Variant.parse(name)) for name in OFFERED},
    "packed": made.engine, "highest": highest_level(), "left": torch.backends.quantized.engine,
    "machine": describe_machine()["quantized_engine"],
    "crosses": [finding.found for finding in look() if not finding.well],
}))
"""
    found = json.loads(run(code))
    reasons = {name: reason for name, reason in found["unavailable"].items() if reason}
    assert list(reasons) == [str(FP16), "pytorch:lstm=int8,linear=int8,engine=onednn"]
    assert "engines x86, fbgemm for fp16" in reasons[str(FP16)]
    assert found["packed"] == found["machine"] == "qnnpack"
    assert (found["highest"], found["left"], found["crosses"]) == (255, "none", [])
    assert "qnnpack" in found["slow"]["int8"] and found["slow"]["fp32"] == ""


@pytest.mark.slow
@on_apple
def test_scripts_and_exports_use_an_engine_that_pytorch_left_off(tmp_path):
    making = """
import sys
from wlm.exporting.export import export
from wlm.explaining.snippets import lines_of
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint
from wlm.model.lstm import LSTMModel
from wlm.quantization.snippet import code_for
from wlm.quantization.variant import Variant
from wlm.text.vocabulary import Vocabulary
from pathlib import Path
folder = Path(sys.argv[1])
words = Vocabulary(["<unk>", "<eos>", *(f"w{i}" for i in range(18))])
save_checkpoint(folder / "model", LSTMModel(20, 8, 6, 2), words)
export(load_checkpoint(folder / "model"), Variant.parse("int8"), folder / "out")
(folder / "code.py").write_text(code_for(Variant.parse("int8"), str(folder / "model")))
lines = lines_of(str(folder / "model"), ["w1"], "decoder.weight", 3, by_row=False, bits=8)
(folder / "lines.py").write_text("\\n".join(lines[:3]))
"""
    run(making, str(tmp_path))
    running = "import runpy, sys\nsys.path.insert(0, '.')\nrunpy.run_path(sys.argv[1])"
    card = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    printed = run(running, str(tmp_path / "out" / "load.py"))
    assert float(printed.split()[-1]) == pytest.approx(card["check"]["loss"], abs=1e-6)
    assert "DynamicQuantizedLSTM" in run(running, str(tmp_path / "code.py"))
    last = run(running, str(tmp_path / "lines.py")).splitlines()[-1]
    value, logit = map(float, re.findall(r"tensor\(([^,)]+)", last))
    assert value == pytest.approx(logit, abs=2e-4)


def test_a_quiet_thread_does_not_silence_the_others(caplog):
    level, filters = logging.getLogger().level, list(warnings.filters)
    with caplog.at_level(logging.INFO), quiet():
        logging.getLogger().warning("root, mine")
        logging.getLogger("library").warning("library, mine")
        logging.getLogger("library").error("an error")
        in_thread(lambda: logging.getLogger("wlm").info("another thread"))
        in_thread(lambda: logging.getLogger().info("another thread, root"))
    logging.getLogger().warning("later")
    assert caplog.messages == ["an error", "another thread", "another thread, root", "later"]
    assert (logging.getLogger().level, warnings.filters) == (level, filters)
