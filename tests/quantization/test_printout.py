"""The printout of a variant, against what PyTorch prints and what the ONNX file holds."""

import math

import pytest

from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.printout import printout
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import OFFERED, Variant

PARTS = ("lstm=int8", "linear=int8", "embedding=int8")
PYTORCH = dict.fromkeys(
    [*(name for name in OFFERED if not name.startswith("onnx")), *(f"pytorch:{x}" for x in PARTS)]
)
ONNX = dict.fromkeys(
    [
        *(name for name in OFFERED if name.startswith("onnx")),
        *(f"onnxruntime:{x}" for x in (*PARTS, "linear=int4", "embedding=int4")),
    ]
)


def parsed(name: str) -> Variant:
    variant = Variant.parse(name)
    if reason := why_unavailable(variant):
        pytest.skip(reason)
    return variant


def operators(content: bytes) -> list[str]:
    """The operators of an ONNX file that hold matrices, in the order in which they run."""
    import onnx

    graph = onnx.load_from_string(content).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    lines = []
    for node in graph.node:
        shapes = [
            f"{'x'.join(map(str, weights[name].dims))} "
            f"{onnx.TensorProto.DataType.Name(weights[name].data_type).lower()}"
            for name in node.input
            if name in weights and math.prod(weights[name].dims[:-1]) > 1
        ]
        if shapes:
            lines.append(f"  {node.op_type}({', '.join(shapes)})")
    return lines


@pytest.mark.parametrize("name", PYTORCH)
def test_it_is_what_pytorch_prints(model, name):
    variant = parsed(name)
    assert printout(model.config, variant) == str(quantize(model, variant))


@pytest.mark.parametrize("sizes", [(20, 8, 6, 1), (20, 8, 6, 2, 0.0), (7, 3, 5, 3, 0.25)])
@pytest.mark.parametrize("name", ["fp32", "int8", "pytorch:lstm=int8,embedding=int8"])
def test_it_is_what_pytorch_prints_of_models_of_any_size(sizes, name):
    model, variant = LSTMModel(*sizes).eval(), parsed(name)
    assert printout(model.config, variant) == str(quantize(model, variant))


@pytest.mark.parametrize("name", ONNX)
def test_it_names_the_operators_that_the_onnx_file_has(model, name):
    variant = parsed(name)
    lines = printout(model.config, variant).splitlines()
    assert [lines[0], lines[-1]] == ["OnnxModel(", ")"]
    assert lines[1:-1] == operators(prepare(model, variant).content)
