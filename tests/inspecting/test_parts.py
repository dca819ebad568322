"""Bytes by part: they sum to the file, and each part has its own numbers."""

import pytest
import torch

from wlm.inspecting.parts import matrix_label, module_bytes, saved_parts
from wlm.model.lstm import part_of
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.tutorial import PUBLISHED

VARIANTS = [
    "fp32",
    "int8",
    "pytorch:lstm=int8",
    "pytorch:linear=int8",
    "pytorch:embedding=int8",
    "pytorch:lstm=fp16,linear=fp16",
    "pytorch:lstm=int8-channel,linear=int8-channel,embedding=int8",
    "onnxruntime:",
    "onnxruntime:lstm=int8,linear=int8,embedding=int8",
    "onnxruntime:lstm=int8-channel,linear=int8-channel,embedding=int8",
    "onnxruntime:lstm=int8,linear=int4,embedding=int4",
]
ALL = pytest.mark.parametrize("name", VARIANTS)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))


@ALL
def test_the_parts_sum_to_the_file(model, name):
    made = prepare(model, Variant.parse(name))
    parts = saved_parts(made)
    assert list(parts) == [*model.config.parts(), "file format"]
    assert sum(parts.values()) == made.saved_bytes
    assert all(size > 0 for size in parts.values())


def test_fp32_parts_are_four_bytes_a_number(model):
    # 20 words, embedding 8, hidden 6 (24 gate rows), 2 layers.
    made = prepare(model, Variant())
    assert saved_parts(made) == {
        "embedding": 4 * 20 * 8,
        "LSTM 0": 4 * (24 * 8 + 24 * 6 + 24 + 24),
        "LSTM 1": 4 * (24 * 6 + 24 * 6 + 24 + 24),
        "decoder": 4 * (20 * 6 + 20),
        "file format": made.saved_bytes - 4 * (160 + 384 + 336 + 140),
    }


def test_an_int8_decoder_has_one_byte_a_weight_and_its_bias_in_floats(model):
    parts = saved_parts(prepare(model, Variant(linear="int8")))
    # Scale and zero point of its output, which dynamic quantization leaves unused, are a float
    # and an integer of 8 bytes.
    assert parts["decoder"] == 20 * 6 + 4 * 20 + 4 + 8
    assert parts["embedding"] == 4 * 20 * 8


def test_the_bundled_model_has_the_tutorials_sizes_and_keeps_its_embedding(bundled):
    sizes = {}
    for name in ("fp32", "int8"):
        parts = saved_parts(prepare(bundled.model, Variant.parse(name)))
        assert parts["embedding"] == 4 * 33_278 * 512
        sizes[name] = sum(parts.values())
    assert sizes == {name: published.size_bytes for name, published in PUBLISHED.items()}


@ALL
def test_matrices_keep_their_names_order_and_shapes_in_every_variant(model, name):
    matrices = prepare(model, Variant.parse(name)).matrices()
    expected = {key: shape for key, shape in model.config.shapes().items() if "weight" in key}
    assert {key: tuple(matrix.shape) for key, matrix in matrices.items()} == expected
    assert list(matrices) == list(expected)


def test_only_the_quantized_matrices_are_quantized(model):
    matrices = prepare(model, Variant(lstm="int8")).matrices()
    assert {name for name, matrix in matrices.items() if matrix.is_quantized} == {
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.weight_ih_l1",
        "rnn.weight_hh_l1",
    }
    assert torch.equal(matrices["encoder.weight"], model.encoder.weight)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("encoder.weight", "embedding"),
        ("encoder._packed_params._packed_weight", "embedding"),
        ("rnn.bias_hh_l12", "LSTM 12"),
        ("rnn._all_weight_values.3.param", "LSTM 3"),
        ("decoder._packed_params._packed_params", "decoder"),
    ],
)
def test_entries_belong_to_the_part_that_holds_them(key, part):
    assert part_of(key) == part


def test_matrices_are_called_by_part_and_role():
    names = ["encoder.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l4", "decoder.weight"]
    labels = ["embedding", "LSTM 0 input", "LSTM 4 recurrent", "decoder"]
    assert [matrix_label(name) for name in names] == labels


def test_an_onnx_file_holds_the_same_matrices_in_pytorchs_order(model):
    expected = prepare(model, Variant()).matrices()
    found = prepare(model, Variant.parse("onnxruntime:")).matrices()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("precision", ["int8", "int8-channel"])
def test_an_onnx_files_int8_matrices_are_within_a_step_of_the_weights(model, precision):
    name = f"onnxruntime:lstm={precision},linear={precision},embedding=int8"
    found = prepare(model, Variant.parse(name)).matrices()
    for key, weights in prepare(model, Variant()).matrices().items():
        assert found[key].is_quantized
        error = (found[key].dequantize() - weights).abs().max()
        assert 0 < error < 1.1 * weights.abs().max() / 127
        by_row = precision == "int8-channel" and key != "encoder.weight"
        assert (found[key].qscheme() == torch.per_channel_affine) is by_row


@pytest.mark.parametrize(
    "name",
    ["fp32", "int8", "pytorch:embedding=int8", "onnxruntime:lstm=int8,linear=int4,embedding=int4"],
)
def test_the_bytes_of_a_variants_modules_are_known_without_making_it(bundled, name):
    variant = Variant.parse(name)
    parts = saved_parts(prepare(bundled.model, variant))
    found = module_bytes(bundled.model.config, variant)
    lstm = sum(size for part, size in parts.items() if part.startswith("LSTM"))
    assert found["embedding"] == pytest.approx(parts["embedding"], rel=0.01)
    assert found["lstm"] == pytest.approx(lstm, rel=0.01)
    assert found["linear"] == pytest.approx(parts["decoder"], rel=0.02)
