"""int4 in ONNX Runtime against its file taken apart with NumPy alone."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from wlm.inspecting.parts import saved_parts
from wlm.model.lstm import LSTMModel
from wlm.quantization.onnx.export import onnx_file
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

INT4 = Variant.parse("onnxruntime:linear=int4,embedding=int4")
SMALLEST = Variant.parse("onnxruntime:lstm=int8,linear=int4,embedding=int4")
# Below, at and beyond a block of 32, even and odd.
SIZES = pytest.mark.parametrize("size", [1, 6, 7, 32, 33, 70])


def model_of(ninp: int, nhid: int) -> LSTMModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return LSTMModel(20, ninp, nhid, 1).eval().requires_grad_(False)


def weights_in(content: bytes, operator: str, columns: int) -> np.ndarray:
    """The matrix (R, columns) that an operator's packed numbers and scales stand for."""
    graph = onnx.load_from_string(content).graph
    numbers = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    (node,) = (node for node in graph.node if node.op_type == operator)
    packed, scales = (numbers[name] for name in node.input if name in numbers)
    packed = packed.reshape(len(packed), -1)
    nibbles = np.empty((len(packed), 2 * packed.shape[1]), np.float32)
    nibbles[:, 0::2], nibbles[:, 1::2] = packed & 15, packed >> 4
    step = np.repeat(scales, 32, axis=1)
    return (nibbles[:, :columns] - 8) * step[:, :columns]


def rounded(x: np.ndarray) -> np.ndarray:
    """Inputs (N, C) rounded to 8 bits, 32 of them to a scale."""
    blocks = np.pad(x, ((0, 0), (0, -x.shape[1] % 32))).reshape(len(x), -1, 32)
    scale = np.abs(blocks).max(axis=2, keepdims=True) / 127
    return (np.rint(blocks / np.where(scale > 0, scale, 1)) * scale).reshape(len(x), -1)[
        :, : x.shape[1]
    ]


@SIZES
def test_an_int4_decoders_logits_are_those_of_its_numbers(size):
    model = model_of(5, size)
    made = prepare(model, INT4)
    words = torch.arange(12).view(6, 2)
    hidden = tuple(torch.linspace(-1, 1, 2 * size).view(1, 2, size) for _ in "hc")
    logits, _ = made(words, hidden)
    looked_up = torch.from_numpy(weights_in(made.content, "GatherBlockQuantized", 5))[words]
    output = model.rnn(looked_up, hidden)[0].numpy().reshape(12, size)
    weight = weights_in(made.content, "MatMulNBits", size)
    exact, by_8_bits = (
        inputs @ weight.T + model.decoder.bias.numpy() for inputs in (output, rounded(output))
    )
    made = logits.numpy().reshape(12, 20)
    # Without 8-bit arithmetic for it on a CPU, ONNX Runtime sums floats.
    assert min(np.abs(made - expected).max() for expected in (exact, by_8_bits)) < 1e-4
    floats = model.decoder(torch.from_numpy(output)).numpy()
    assert np.abs(exact - floats).max() > 1e-3 or size == 1  # where each weight is a largest one


@SIZES
def test_an_int4_embedding_looks_up_its_numbers(size):
    made = prepare(model_of(size, 4), Variant.parse("onnxruntime:embedding=int4"))
    words = torch.tensor([[3, 19], [0, 3]])
    found = made.modules().embedding(words).numpy()
    expected = weights_in(made.content, "GatherBlockQuantized", size)[words]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.shape == (2, 2, size)


@SIZES
def test_its_matrices_are_the_files_numbers(size):
    model = model_of(size, size)
    made = prepare(model, SMALLEST)
    matrices = made.matrices()
    for name, operator in {
        "encoder.weight": "GatherBlockQuantized",
        "decoder.weight": "MatMulNBits",
    }.items():
        expected = weights_in(made.content, operator, size)
        np.testing.assert_allclose(matrices[name].dequantize().numpy(), expected, rtol=1e-6)


def test_a_part_takes_half_a_byte_a_number_and_four_bytes_a_block(model, own_cache):
    made = prepare(model, INT4)
    parts = saved_parts(made)
    assert parts["embedding"] == 20 * (8 // 2 + 4)  # not filled up
    assert parts["decoder"] == 20 * (32 // 2 + 4) + 4 * 20  # filled up to a block, and biases
    assert made.saved_bytes in {path.stat().st_size for path in own_cache.rglob("*.onnx_*")}


def test_its_file_is_the_same_whenever_it_is_made(model, own_cache):
    first = onnx_file(model, SMALLEST)
    for path in own_cache.rglob("*.onnx_*"):
        path.unlink()
    assert onnx_file(model, SMALLEST) == first


@pytest.mark.slow
def test_the_bundled_model_takes_19_megabytes(bundled):
    made = prepare(bundled.model, SMALLEST)
    parts = saved_parts(made)
    assert parts["embedding"] == 33_278 * (512 // 2 + 4 * 512 // 32)
    assert parts["decoder"] == 33_278 * (256 // 2 + 4 * 256 // 32 + 4)
    assert 19.0e6 < made.saved_bytes < 19.1e6
