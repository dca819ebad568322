"""Dynamic quantization: which parts change, their arithmetic, their size, and the code shown."""

import ast
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from wlm.checkpoint import load_checkpoint, save_checkpoint
from wlm.corpus import Vocabulary
from wlm.errors import VariantError, WLMError
from wlm.model import LSTMModel
from wlm.quantize import quantize, saved_bytes
from wlm.script import code_for
from wlm.tutorial import PUBLISHED
from wlm.variant import Variant

ROOT = Path(__file__).resolve().parent.parent
FP32, INT8 = Variant(), Variant(lstm="int8", linear="int8")
LSTM_ONLY, LINEAR_ONLY = Variant(lstm="int8"), Variant(linear="int8")
ALL = pytest.mark.parametrize("variant", [FP32, LSTM_ONLY, LINEAR_ONLY, INT8], ids=str)

# qnnpack, the engine of Arm machines, spends all eight bits of an activation.
needs_x86_engine = pytest.mark.skipif(
    torch.backends.quantized.engine not in ("x86", "fbgemm"),
    reason="the arithmetic is worked out for PyTorch's x86 engines",
)


@ALL
def test_only_the_named_parts_change_type(model, variant):
    made = quantize(model, variant)
    lstm, linear = torch.ao.nn.quantized.dynamic.LSTM, torch.ao.nn.quantized.dynamic.Linear
    assert type(made.rnn) is (lstm if variant.lstm == "int8" else nn.LSTM)
    assert type(made.decoder) is (linear if variant.linear == "int8" else nn.Linear)
    assert type(made.encoder) is nn.Embedding
    assert made.config == model.config
    assert not made.training


def test_fp32_is_the_model_itself(model):
    assert quantize(model, FP32) is model


@ALL
def test_the_fp32_model_is_never_changed(model, variant):
    words, hidden = torch.arange(20).view(10, 2), model.init_hidden(2)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    logits = model(words, hidden)[0]
    made = quantize(model, variant)
    made(words, hidden)
    assert [type(each) for each in model.children()] == [
        nn.Dropout,
        nn.Embedding,
        nn.LSTM,
        nn.Linear,
    ]
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(model(words, hidden)[0], logits)


@pytest.mark.parametrize("variant", [LSTM_ONLY, LINEAR_ONLY, INT8], ids=str)
def test_a_quantized_model_shares_no_weights_with_the_fp32_one(model, variant):
    made = quantize(model, variant)
    assert torch.equal(made.encoder.weight, model.encoder.weight)
    made.encoder.weight.zero_()
    assert model.encoder.weight.abs().min() > 0


@pytest.mark.parametrize("variant", [LSTM_ONLY, LINEAR_ONLY, INT8], ids=str)
def test_a_quantized_model_computes_nearly_what_the_fp32_one_does(model, variant):
    words, hidden = torch.arange(20).view(10, 2), model.init_hidden(2)
    logits = model(words, hidden)[0]
    error = (quantize(model, variant)(words, hidden)[0] - logits).abs().max()
    assert 0 < error < 0.05 * logits.abs().max()


@pytest.fixture
def warnings_repeated():
    """PyTorch says some warnings once a process, whichever test comes first."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


def test_quantizing_says_nothing_about_deprecation(model, warnings_repeated):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantize(model, INT8)


def test_a_machine_without_a_quantized_engine_is_told_so(model, monkeypatch):
    class NoEngine:
        engine = "none"

    # PyTorch refuses to select "none" where it has an engine.
    monkeypatch.setattr(torch.backends, "quantized", NoEngine)
    with pytest.raises(VariantError, match="pytorch:lstm=int8 needs a quantized engine"):
        quantize(model, LSTM_ONLY)
    assert quantize(model, FP32) is model


def int8_weight(weight):
    """Symmetric, one scale per matrix: the largest weight lies at half of the 255 steps."""
    scale = weight.abs().max() / 127.5
    return (weight / scale).round().clamp(-128, 127) * scale


def uint8_activation(x):
    """Asymmetric, from the numbers at hand, on 7 of the 8 bits (`reduce_range`, as 8 bits could
    overflow the 16-bit sums of older CPUs); 0 is always one of the 128 steps."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = (high - low) / 127
    zero = round(-low / scale)
    return ((x / scale).round() + zero).clamp(0, 127).sub(zero) * scale


def int8_linear(x, weight, bias):
    """What PyTorch's dynamically quantized Linear computes: int8 sums of products, in fp32."""
    return uint8_activation(x) @ int8_weight(weight).T + bias


@needs_x86_engine
def test_an_int8_linear_layer_equals_arithmetic_by_hand(model):
    x = torch.linspace(-1.31, 2.17, 18).view(3, 6)
    made = quantize(model, LINEAR_ONLY).decoder(x)
    expected = int8_linear(x, model.decoder.weight, model.decoder.bias)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    # Far below what quantization itself changes, so that fp32 would not pass for it.
    assert (made - model.decoder(x)).abs().max() > 1e-3


@needs_x86_engine
def test_an_int8_lstm_layer_equals_arithmetic_by_hand():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = LSTMModel(20, 8, 6, 1).eval().requires_grad_(False)
    h, c = torch.linspace(-0.93, 0.81, 6).view(1, 6), torch.linspace(2.0, -2.0, 6).view(1, 6)
    x = torch.linspace(-1.31, 2.17, 8).view(1, 8)
    rnn = model.rnn
    gates = int8_linear(x, rnn.weight_ih_l0, rnn.bias_ih_l0)
    gates = gates + int8_linear(h, rnn.weight_hh_l0, rnn.bias_hh_l0)
    i, f, g, o = gates.chunk(4, 1)
    expected_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    expected_h = o.sigmoid() * expected_c.tanh()

    start = h.unsqueeze(0), c.unsqueeze(0)
    _, (made_h, made_c) = quantize(model, LSTM_ONLY).rnn(x.unsqueeze(0), start)
    torch.testing.assert_close(made_h[0], expected_h, atol=1e-5, rtol=0)
    torch.testing.assert_close(made_c[0], expected_c, atol=1e-5, rtol=0)
    assert (made_c - rnn(x.unsqueeze(0), start)[1][1]).abs().max() > 1e-4


def test_the_tutorials_model_has_the_tutorials_sizes():
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(33_278, 512, 256, 5).eval()
    variants = [FP32, LSTM_ONLY, LINEAR_ONLY, INT8]
    fp32, lstm, linear, int8 = (saved_bytes(quantize(model, each)) for each in variants)
    assert (fp32, int8) == (113_944_455, 79_738_939)
    assert (PUBLISHED["fp32"].size_bytes, PUBLISHED["int8"].size_bytes) == (fp32, int8)
    assert int8 < linear < lstm < fp32
    assert (fp32 - lstm) + (fp32 - linear) == pytest.approx(fp32 - int8, abs=4_096)


@pytest.fixture
def temporary_folder(tmp_path, monkeypatch):
    """The folder that temporary files go to; it is still to be made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def file_size(model, path):
    torch.save(model.state_dict(), path)
    return path.stat().st_size


def test_the_size_is_that_of_a_file_and_leaves_none_behind(model, tmp_path, temporary_folder):
    temporary_folder.mkdir()
    assert saved_bytes(model) == file_size(model, tmp_path / "temp.p")
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no /dev/shm")
def test_the_size_can_be_measured_without_a_temporary_folder(model, tmp_path, temporary_folder):
    assert saved_bytes(model) == file_size(model, tmp_path / "temp.p")
    assert not temporary_folder.exists()


@pytest.mark.parametrize("reason", [OSError("disk full"), RuntimeError("disk full\nat line 7")])
def test_a_size_that_cannot_be_measured_is_an_error_with_the_reason(model, monkeypatch, reason):
    def fail(*_):
        raise reason

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(WLMError, match=r"the model cannot be saved .* its size: disk full[^\n]*$"):
        saved_bytes(model)


@pytest.fixture
def sizeable_folder(tmp_path):
    """A model whose four variants differ in size by more than the 0.1 MB that the code prints."""
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(2_000, 16, 128, 1)
    folder = tmp_path / "sizeable"
    save_checkpoint(folder, model, Vocabulary(f"w{i}" for i in range(2_000)))
    return folder


@pytest.mark.parametrize("folder", ['models/a "new" one\'s', "C:\\new\\u0041", "東京 🙂"])
def test_the_code_shown_names_any_folder(folder):
    tree = ast.parse(code_for(INT8, folder))
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    (load,) = (each for each in calls if ast.unparse(each.func) == "load_checkpoint")
    assert ast.literal_eval(load.args[0]) == folder


@ALL
def test_the_code_shown_for_a_variant_makes_it(sizeable_folder, tmp_path, variant):
    made = quantize(load_checkpoint(sizeable_folder).model, variant)
    done = subprocess.run(
        [sys.executable, "-c", code_for(variant, str(sizeable_folder))],
        # Not in the project's root: it writes temp.p, and tests may run at the same time.
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *shown, fp32_size, size = done.stdout.splitlines()
    assert "\n".join(shown) == str(made)
    assert (fp32_size, size) == ("1.5 MB", f"{saved_bytes(made) / 1e6:.1f} MB")
    assert not (tmp_path / "temp.p").exists()
