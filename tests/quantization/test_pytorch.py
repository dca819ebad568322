"""Dynamic quantization in PyTorch: which parts change, their arithmetic and their size."""

import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from wlm.errors import VariantError, WLMError
from wlm.model.lstm import LSTMModel
from wlm.quantization.engines import default_engine
from wlm.quantization.prepare import held_bytes, prepare, why_unavailable
from wlm.quantization.pytorch import QCONFIGS, quantize, saved_bytes
from wlm.quantization.variant import Variant
from wlm.tutorial import PUBLISHED

FP32, INT8 = Variant(), Variant(lstm="int8", linear="int8")
EVERYTHING = Variant(lstm="int8", linear="int8", embedding="int8")
FP16 = Variant(lstm="fp16", linear="fp16")
CHANNEL = Variant(lstm="int8-channel", linear="int8-channel")
EMBEDDING_ONLY = Variant(embedding="int8")
PARTS = {"encoder": "embedding", "rnn": "lstm", "decoder": "linear"}  # by module
LSTM_ONLY, LINEAR_ONLY = Variant(lstm="int8"), Variant(linear="int8")
CHANGED = [LSTM_ONLY, LINEAR_ONLY, INT8, EMBEDDING_ONLY, EVERYTHING, FP16, CHANNEL]
ALL = pytest.mark.parametrize("variant", [FP32, *CHANGED], ids=str)

# qnnpack, the engine of Arm machines, spends all eight bits of an activation.
needs_x86_engine = pytest.mark.skipif(
    torch.backends.quantized.engine not in ("x86", "fbgemm"),
    reason="the arithmetic is worked out for PyTorch's x86 engines",
)


@ALL
def test_only_the_named_parts_change_type(model, variant):
    made = quantize(model, variant)
    lstm, linear = torch.ao.nn.quantized.dynamic.LSTM, torch.ao.nn.quantized.dynamic.Linear
    embedding = torch.ao.nn.quantized.Embedding
    assert type(made.rnn) is (nn.LSTM if variant.lstm == "fp32" else lstm)
    assert type(made.decoder) is (nn.Linear if variant.linear == "fp32" else linear)
    assert type(made.encoder) is (nn.Embedding if variant.embedding == "fp32" else embedding)
    assert made.config == model.config
    assert not made.training


@pytest.mark.parametrize("variant", [INT8, EVERYTHING], ids=str)
def test_quantizing_draws_no_random_numbers(model, variant):
    before = torch.get_rng_state()
    quantize(model, variant)
    assert torch.equal(torch.get_rng_state(), before)


def test_fp32_is_the_model_itself(model):
    assert quantize(model, FP32) is model


@ALL
def test_the_fp32_model_is_never_changed(model, variant):
    words, hidden = torch.arange(20).view(10, 2), model.init_hidden(2)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    logits = model(words, hidden)[0]
    made = quantize(model, variant)
    made(words, hidden)
    assert [type(child) for child in model.children()] == [
        nn.Dropout,
        nn.Embedding,
        nn.LSTM,
        nn.Linear,
    ]
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(model(words, hidden)[0], logits)


@pytest.mark.parametrize("variant", CHANGED, ids=str)
def test_what_stays_as_it_is_is_shared_with_the_fp32_model_and_nothing_else(model, variant):
    made = quantize(model, variant)
    kept = {key: value.data_ptr() for key, value in made.named_parameters()}
    assert kept == {
        key: value.data_ptr()
        for key, value in model.named_parameters()
        if getattr(variant, PARTS[key.split(".")[0]]) == "fp32"
    }


@pytest.mark.filterwarnings("ignore:.*(torch.ao.quantization|quantized tensor creation)")
@pytest.mark.parametrize("variant", CHANGED, ids=str)
def test_a_variant_computes_what_torchs_own_copy_computes_to_the_bit(model, variant):
    kinds = {nn.LSTM: variant.lstm, nn.Linear: variant.linear, nn.Embedding: variant.embedding}
    parts = dict(zip(kinds, ("lstm", "linear", "embedding"), strict=True))
    settings = {
        kind: getattr(torch.ao.quantization, QCONFIGS[parts[kind]][precision])
        for kind, precision in kinds.items()
        if precision != "fp32"
    }
    words, hidden = torch.arange(20).view(10, 2), model.init_hidden(2)
    copied = torch.ao.quantization.quantize_dynamic(model, settings)(words, hidden)
    made = quantize(model, variant)(words, hidden)
    assert torch.equal(made[0], copied[0])
    assert all(map(torch.equal, made[1], copied[1]))


@pytest.mark.parametrize("variant", CHANGED, ids=str)
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


@pytest.fixture
def other_machine(monkeypatch):
    """Have PyTorch report another machine's engines: it refuses to select "none" if it has one."""

    def report(engine: str, *supported: str) -> None:
        default_engine.cache_clear()
        found = SimpleNamespace(engine=engine, supported_engines=supported)
        monkeypatch.setattr(torch.backends, "quantized", found)

    yield report
    default_engine.cache_clear()


def test_a_machine_without_a_quantized_engine_is_told_so(model, other_machine):
    other_machine("none", "none")
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


def test_an_fp16_linear_layer_is_the_one_with_its_weights_rounded_to_half(model):
    x = torch.linspace(-1.31, 2.17, 18).view(3, 6)
    made = quantize(model, Variant(linear="fp16")).decoder(x)
    expected = x @ model.decoder.weight.half().float().T + model.decoder.bias
    torch.testing.assert_close(made, expected, atol=1e-6, rtol=0)
    assert (made - model.decoder(x)).abs().max() > 1e-5


def test_an_fp16_lstm_is_the_one_with_its_weights_rounded_to_half(model):
    x, hidden = torch.linspace(-1.31, 2.17, 48).view(3, 2, 8), model.init_hidden(2)
    made, made_hidden = quantize(model, Variant(lstm="fp16")).rnn(x, hidden)
    exact = model.rnn(x, hidden)[0]
    for name, weight in model.rnn.named_parameters():
        if "weight" in name:
            weight.copy_(weight.half())
    expected, expected_hidden = model.rnn(x, hidden)
    for one, other in zip((made, *made_hidden), (expected, *expected_hidden), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
    assert (made - exact).abs().max() > 1e-5


def int8_rows(weight):
    """Symmetric, one scale per row (an output): its largest weight lies at half of 255 steps."""
    scale = weight.abs().amax(1, keepdim=True) / 127.5
    # By the reciprocal, as PyTorch does: the largest weight is a tie between two steps.
    return (weight * (1 / scale)).round().clamp(-128, 127) * scale


@needs_x86_engine
def test_an_int8_linear_layer_per_channel_has_a_scale_for_each_output(model):
    model.decoder.weight[3] *= 0.01  # a row that one scale for all would round to nothing
    x = torch.linspace(-1.31, 2.17, 18).view(3, 6)
    made = quantize(model, Variant(linear="int8-channel")).decoder(x)
    expected = uint8_activation(x) @ int8_rows(model.decoder.weight).T + model.decoder.bias
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    per_tensor = quantize(model, LINEAR_ONLY).decoder(x)
    assert (made - per_tensor).abs().max() > 1e-3


def uint8_rows(weight):
    """Asymmetric, a scale and a zero point (a float) for each row: 255 steps from least to most."""
    low, high = weight.amin(1, keepdim=True), weight.amax(1, keepdim=True)
    scale = (high - low) / 255
    zero = -low / scale
    return ((weight / scale + zero).round().clamp(0, 255) - zero) * scale


def test_an_int8_embedding_has_a_scale_and_a_zero_point_for_each_row(model):
    model.encoder.weight[3] *= 0.01
    words = torch.arange(20).view(10, 2)
    made = quantize(model, EMBEDDING_ONLY).encoder(words)
    torch.testing.assert_close(made, uint8_rows(model.encoder.weight)[words], atol=1e-6, rtol=0)
    error = (made - model.encoder(words)).abs()
    assert error.max() > 1e-3 and 0 < error[1, 1].max() < 1e-4  # word 3


ENGINES_HERE = [engine for engine in torch.backends.quantized.supported_engines if engine != "none"]


@pytest.mark.parametrize("engine", ENGINES_HERE)
def test_each_engine_computes_by_hand_built_arithmetic(model, engine):
    before = torch.backends.quantized.engine
    x = torch.linspace(-1.31, 2.17, 18).view(3, 6)
    made = quantize(model, Variant(linear="int8", engine=engine))
    assert torch.backends.quantized.engine == before
    logits = made.decoder(x)
    # How many of an activation's eight bits it spends differs: 127 steps at the least.
    weights = int8_weight(model.decoder.weight)
    step = float(x.max() - x.min()) / 127
    bound = step / 2 * weights.abs().sum(1) + 1e-5
    assert ((logits - (x @ weights.T + model.decoder.bias)).abs() <= bound).all()
    assert (logits - model.decoder(x)).abs().max() > 1e-3


@pytest.mark.parametrize("engine", ENGINES_HERE)
def test_the_engine_setting_is_restored_also_after_a_failure(model, monkeypatch, engine):
    def fail(*_, **__):
        seen.append(torch.backends.quantized.engine)
        raise RuntimeError("cannot quantize")

    before, seen = torch.backends.quantized.engine, []
    monkeypatch.setattr(torch.ao.quantization, "quantize_dynamic", fail)
    with pytest.raises(RuntimeError, match="cannot quantize"):
        quantize(model, Variant(lstm="int8", engine=engine))
    assert seen == [engine]
    assert torch.backends.quantized.engine == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pytorch:lstm=int8,engine=onednn", "needs an engine that this machine has: qnnpack$"),
        ("pytorch:linear=fp16", "needs one of the engines x86, fbgemm for fp16, .* is qnnpack$"),
    ],
)
@pytest.mark.parametrize("chosen", ["qnnpack", "none"])  # on Arm, and in macOS builds
def test_a_missing_engine_is_reported_with_the_supported_ones(
    model, other_machine, chosen, name, message
):
    variant = Variant.parse(name)
    other_machine(chosen, "none", "qnnpack")
    assert re.search(message, why_unavailable(variant))
    with pytest.raises(VariantError, match=f"^{re.escape(name)} {message}"):
        prepare(model, variant)
    assert why_unavailable(INT8) == why_unavailable(EMBEDDING_ONLY) == ""


@pytest.mark.slow
def test_the_tutorials_model_has_the_tutorials_sizes():
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(33_278, 512, 256, 5).eval()
    variants = [FP32, LSTM_ONLY, LINEAR_ONLY, INT8]
    fp32, lstm, linear, int8 = (saved_bytes(quantize(model, variant)) for variant in variants)
    assert (fp32, int8) == (113_944_455, 79_738_939)
    assert (PUBLISHED["fp32"].size_bytes, PUBLISHED["int8"].size_bytes) == (fp32, int8)
    everything = saved_bytes(quantize(model, EVERYTHING))
    assert everything == 28_890_735
    # The embedding's rows: a byte for each of 512 weights, and two floats, in place of 512 floats.
    assert int8 - everything == pytest.approx(33_278 * (4 * 512 - 512 - 2 * 4), abs=8_192)
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


@pytest.mark.parametrize(
    ("name", "numbers", "size"),
    [
        ("fp32", 0, 4),
        ("int8", 720 + 140, 1),
        ("pytorch:lstm=fp16,linear=fp16", 720 + 140, 2),
        ("pytorch:lstm=int8-channel", 720, 1),
        ("pytorch:embedding=int8", 160, 1),
        ("onnxruntime:", 160 + 720 + 140, 4),
        ("onnxruntime:lstm=int8,linear=int8,embedding=int8", 160 + 720 + 140, 1),
        ("onnxruntime:lstm=int8,linear=int4,embedding=int4", (160 + 140) * 5 / 8 + 720, 1),
    ],
)
def test_a_variant_holds_twice_what_it_changed(model, name, numbers, size):
    # Embedding 20 × 8; LSTM 24 × (8 + 6) + 24 × (6 + 6), and biases; decoder 20 × 6, and biases.
    assert held_bytes(model.config, Variant.parse(name)) == 2 * numbers * size
