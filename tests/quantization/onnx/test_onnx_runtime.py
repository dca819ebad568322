"""ONNX Runtime: parity with PyTorch in fp32, and int8 against arithmetic by hand."""

import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from onnx import numpy_helper

from wlm.model.lstm import LSTMModel
from wlm.quantization.onnx.export import onnx_file
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import OFFERED, Variant

FP32 = Variant(runtime="onnxruntime")
INT8 = ("int8", "int8-channel")
SHAPES = pytest.mark.parametrize("shape", [(1, 1), (25, 1), (1, 5), (6, 3)], ids=str)


def words_and_hidden(model, length: int, batch_size: int):
    """Words in all columns, and a state that is not zero."""
    words = (torch.arange(length * batch_size) * 7 % 20).view(length, batch_size)
    h, c = model.init_hidden(batch_size)
    steps = torch.linspace(-0.93, 0.81, h.numel()).view(h.shape)
    return words, (h + steps, c - 2 * steps)


def assert_close(made, expected, atol=1e-5):
    torch.testing.assert_close(made, expected, atol=atol, rtol=0)


@SHAPES
def test_fp32_is_pytorchs_in_logits_hidden_state_and_loss(model, shape):
    words, hidden = words_and_hidden(model, *shape)
    targets = (words.flatten() + 3) % 20
    made = prepare(model, FP32)
    logits, state = made(words, hidden)
    expected, expected_state = model(words, hidden)
    assert logits.shape == (*shape, 20)
    assert_close((logits, *state), (expected, *expected_state))

    nll, state = made.nll(words, hidden, targets)
    by_hand = F.cross_entropy(expected.view(-1, 20), targets, reduction="none")
    assert_close(nll, by_hand)
    assert_close(nll, model.nll(words, hidden, targets)[0])
    assert_close(state, expected_state)


@pytest.mark.parametrize("variant", [FP32, Variant("int8", "int8", "int8", "", "onnxruntime")])
def test_the_loss_in_the_graph_is_that_of_the_logits(model, variant):
    words, hidden = words_and_hidden(model, 6, 3)
    targets = (words.flatten() + 3) % 20
    made = prepare(model, variant)
    logits, state = made(words, hidden)
    nll, same = made.nll(words, hidden, targets)
    expected = F.cross_entropy(logits.view(-1, 20), targets, reduction="none")
    assert_close(nll, expected)
    assert_close(same, state)


def test_the_hidden_state_is_carried_over_chunks(model):
    words, hidden = words_and_hidden(model, 12, 2)
    made = prepare(model, FP32)
    whole, last = made(words, hidden)
    parts = []
    for chunk in words.split([1, 5, 6]):
        logits, hidden = made(chunk, hidden)
        parts.append(logits)
    assert_close(torch.cat(parts), whole)
    assert_close(hidden, last)
    assert (made(words, model.init_hidden(2))[0] - whole).abs().max() > 1e-2


def test_the_state_that_a_text_starts_from_is_the_models(model):
    made = prepare(model, FP32)
    assert_close(made.init_hidden(3), model.init_hidden(3))
    assert made.eval() is made and made.config == model.config


# What the quantizer of ONNX Runtime documents, worked out on the fp32 weights.


def int8_weight(weight, precision):
    """Symmetric, on 254 steps: one scale for the matrix, or one for each output (a row)."""
    largest = weight.abs().amax(1, keepdim=True) if "channel" in precision else weight.abs().max()
    scale = largest / 127
    return (weight / scale).round().clamp(-127, 127) * scale


def uint8(x):
    """Asymmetric, on 255 steps from the least number to the greatest; 0 is one of them."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = (high - low) / 255
    zero = round(-low / scale)
    return ((x / scale).round() + zero).clamp(0, 255).sub(zero) * scale


def test_an_int8_embedding_equals_arithmetic_by_hand(model):
    words, hidden = words_and_hidden(model, 6, 3)
    made = prepare(model, Variant(embedding="int8", runtime="onnxruntime"))(words, hidden)
    exact = model(words, hidden)[0]
    model.encoder.weight.copy_(uint8(model.encoder.weight))
    assert_close(made[0], model(words, hidden)[0])
    assert (made[0] - exact).abs().max() > 1e-3


def in_every_other_column(weight):
    """Leave weights in every other column only: CPUs with AVX2 alone add two neighbouring products
    in 16 bits, where two large ones would be cut off."""
    weight[:, 1::2] *= 0.004


@pytest.mark.parametrize("precision", INT8)
def test_an_int8_linear_layer_equals_arithmetic_by_hand(model, precision):
    model.decoder.weight[3] *= 0.1
    in_every_other_column(model.decoder.weight)
    words, hidden = words_and_hidden(model, 6, 3)
    variant = Variant(linear=precision, runtime="onnxruntime")
    made = prepare(model, variant)(words, hidden)[0]
    inputs = uint8(model.rnn(model.encoder(words), hidden)[0])
    weight = int8_weight(model.decoder.weight, precision)
    assert_close(made, inputs @ weight.T + model.decoder.bias, atol=1e-4)
    assert (made - model(words, hidden)[0]).abs().max() > 1e-3


@pytest.mark.parametrize("precision", INT8)
def test_an_int8_lstm_layer_equals_arithmetic_by_hand(precision):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = LSTMModel(20, 8, 6, 1).eval().requires_grad_(False)
    rnn = model.rnn
    in_every_other_column(rnn.weight_ih_l0)
    in_every_other_column(rnn.weight_hh_l0)
    rnn.weight_ih_l0[:6] *= 0.1  # rows of small weights, where a scale of their own tells
    words, (h, c) = words_and_hidden(model, 1, 1)
    x = model.encoder(words)[0]
    gates = uint8(x) @ int8_weight(rnn.weight_ih_l0, precision).T + rnn.bias_ih_l0
    gates = gates + uint8(h[0]) @ int8_weight(rnn.weight_hh_l0, precision).T + rnn.bias_hh_l0
    i, f, g, o = gates.chunk(4, 1)
    expected_c = f.sigmoid() * c[0] + i.sigmoid() * g.tanh()
    expected_h = o.sigmoid() * expected_c.tanh()

    _, (made_h, made_c) = prepare(model, Variant(lstm=precision, runtime="onnxruntime"))(
        words, (h, c)
    )
    assert_close((made_h[0], made_c[0]), (expected_h, expected_c), atol=1e-5)
    assert (made_c - model(words, (h, c))[1][1]).abs().max() > 1e-4


OPERATORS = {
    "lstm": {"fp32": "LSTM", "int8": "DynamicQuantizeLSTM"},
    "linear": {"fp32": "MatMul", "int8": "MatMulInteger", "int4": "MatMulNBits"},
}


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in OFFERED if name.startswith("onnx")),
        "onnxruntime:lstm=int8",
        "onnxruntime:linear=int8",
        "onnxruntime:embedding=int8",
        "onnxruntime:linear=int4",
        "onnxruntime:embedding=int4",
        "onnxruntime:lstm=int8-channel,linear=int8",
    ],
)
def test_each_part_changes_its_own_operators_only(model, name):
    variant = Variant.parse(name)
    graph = onnx.load_from_string(onnx_file(model, variant)).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = [node.op_type for node in graph.node]
    for part, count in (("lstm", 2), ("linear", 1)):
        kind = getattr(variant, part).removesuffix("-channel")
        for precision, operator in OPERATORS[part].items():
            assert found.count(operator) == (count if precision == kind else 0)
        for node in graph.node:
            if node.op_type == OPERATORS[part]["int8"]:
                stem = node.input[1].removesuffix("_quantized")
                scales = weights[stem + "_scale"].size
                outputs = {"lstm": 24, "linear": 20}[part]
                assert scales == (outputs if getattr(variant, part) == "int8-channel" else 1)
    (gather,) = (node for node in graph.node if node.op_type.startswith("Gather"))
    assert (gather.op_type == "GatherBlockQuantized") is (variant.embedding == "int4")
    dtype = weights[gather.input[0]].dtype.name
    assert dtype == ("float32" if variant.embedding == "fp32" else "uint8")


@pytest.mark.parametrize("name", [name for name in OFFERED if name.startswith("onnx")])
def test_the_size_is_that_of_the_file(model, own_cache, name):
    made = prepare(model, Variant.parse(name))
    sizes = {path.stat().st_size for path in own_cache.rglob("*") if path.is_file()}
    assert made.saved_bytes in sizes


@pytest.mark.parametrize("threads", [1, 2])
def test_the_session_has_the_threads_asked_for(model, monkeypatch, threads):
    seen, start = [], onnxruntime.InferenceSession

    def note(content, options, **settings):
        seen.append((options.intra_op_num_threads, options.inter_op_num_threads))
        return start(content, options, **settings)

    monkeypatch.setattr(onnxruntime, "InferenceSession", note)
    made = prepare(model, FP32, threads)
    seen.clear()  # the check's own, at export
    words, hidden = words_and_hidden(model, 3, 1)
    made(words, hidden)
    made.nll(words, hidden, words.flatten())
    made(words, hidden)
    assert seen == [(threads, 1)] * 2
    assert made.threads == threads
