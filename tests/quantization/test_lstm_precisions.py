"""The LSTM's int8 by hand where its scales differ: per channel, and ONNX Runtime's own."""

import pytest
import torch

from wlm.measuring.machine import describe_machine
from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

# PyTorch's x86 engines spend 7 of an activation's 8 bits, ONNX Runtime all; the largest weight
# lies this many steps from 0.
TOP, STEPS = {"pytorch": 127, "onnxruntime": 255}, {"pytorch": 127.5, "onnxruntime": 127.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))


def integers(x, top):
    """Asymmetric: 0 is always one of the `top` + 1 steps."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = (high - low) / top
    zero = round(-low / scale)
    return ((x / scale).round() + zero).clamp(0, top), scale, zero


def saturates(runtime):
    """Whether int8 products are added in pairs of 16 bits, which can overflow and then stick at
    the limit: ONNX Runtime on x86 CPUs without VNNI."""
    flags = describe_machine()["cpu_flags"]
    has_vnni = any("vnni" in flag or flag == "amx_int8" for flag in flags)
    return runtime == "onnxruntime" and "avx2" in flags and not has_vnni


def product(x, weight, bias, runtime, by_row):
    """An int8 matrix product by its integers: (1, K) by (N, K)."""
    largest = weight.abs().amax(1, keepdim=True) if by_row else weight.abs().max()
    scale = (largest / STEPS[runtime]).expand(len(weight), 1)
    # By the reciprocal, as PyTorch does: the largest weight is a tie between two steps.
    steps = (weight * (1 / scale)).round().clamp(-128, 127)
    levels, step, zero = integers(x, TOP[runtime])
    pairs = (levels * steps).view(len(weight), -1, 2).sum(2)  # (N, K / 2)
    if saturates(runtime):
        pairs = pairs.clamp(-32_768, 32_767)
    sums = pairs.sum(1) - zero * steps.sum(1)
    return sums * step * scale.T + bias


@pytest.mark.parametrize("precision", ["int8", "int8-channel"])
@pytest.mark.parametrize("runtime", list(TOP))
def test_an_int8_lstm_equals_arithmetic_by_hand(runtime, precision):
    if runtime == "pytorch" and torch.backends.quantized.engine not in ("x86", "fbgemm"):
        pytest.skip("the arithmetic is worked out for PyTorch's x86 engines")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = LSTMModel(20, 8, 6, 1).eval().requires_grad_(False)
    model.rnn.weight_ih_l0[3] *= 0.01  # a row that one scale for all rounds away
    h, c = torch.linspace(-0.93, 0.81, 6).view(1, 6), torch.linspace(2.0, -2.0, 6).view(1, 6)
    rnn = model.rnn

    x = model.encoder.weight[4].view(1, 8)
    by_row = precision == "int8-channel"
    gates = product(x, rnn.weight_ih_l0, rnn.bias_ih_l0, runtime, by_row)
    gates = gates + product(h, rnn.weight_hh_l0, rnn.bias_hh_l0, runtime, by_row)
    i, f, g, o = gates.chunk(4, 1)
    expected_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    expected_h = o.sigmoid() * expected_c.tanh()

    word, start = torch.tensor([[4]]), (h.unsqueeze(0), c.unsqueeze(0))
    prepared = prepare(model, Variant(lstm=precision, runtime=runtime))
    with torch.inference_mode():
        _, (made_h, made_c) = prepared(word, start)
        exact = model(word, start)[1][1]
    torch.testing.assert_close(made_h[0], expected_h, atol=1e-5, rtol=0)
    torch.testing.assert_close(made_c[0], expected_c, atol=1e-5, rtol=0)
    assert (made_c - exact).abs().max() > 1e-4  # far above the tolerance: fp32 would not pass
