"""The weights in an ONNX file, part by part, as the PyTorch model names and orders them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.model.blocks import Blocks, unpack
from wlm.model.quantized import quantized_tensor
from wlm.quantization.onnx.names import (
    DECODER_OPERATORS,
    EMBEDDING_OPERATORS,
    END,
    LSTM_OPERATORS,
    QUANTIZED,
    SCALE,
    ZERO_POINT,
)


@dataclass(frozen=True)
class _Place:
    """A matrix's name in the file, whether its outputs are columns there, whether they are gates of
    an LSTM in ONNX's order, and the numbers in a row of 4-bit blocks."""

    name: str
    is_transposed: bool = False
    has_gates: bool = False
    columns: int | None = None


def stored_parts(content: bytes, names: list[str]) -> dict[str, int]:
    """Return the bytes of numbers that every part stores in an ONNX file, scales included.

    `names` are the parts in the order of a pass, which is the order of the file's operators: those
    before the first LSTM belong to the embedding, those after the last one to the decoder.
    """
    from onnx import numpy_helper

    graph = _graph(content)
    sizes = {tensor.name: numpy_helper.to_array(tensor).nbytes for tensor in graph.initializer}
    parts, layers = dict.fromkeys(names, 0), 0
    for node in graph.node:
        is_lstm = node.op_type in LSTM_OPERATORS
        layers += is_lstm
        after_all = layers == len(names) - 2 and not is_lstm
        part = names[-1] if after_all else names[layers]
        # A tensor that several operators share is stored once.
        parts[part] += sum(sizes.pop(name, 0) for name in node.input)
    return parts


def stored_matrices(content: bytes) -> dict[str, Tensor | Blocks]:
    """Return the weight matrices of an ONNX file by their names in the fp32 state_dict: floats, or
    quantized tensors or Blocks with the file's integers, scales and zero points."""
    graph = _graph(content)
    numbers = {tensor.name: tensor for tensor in graph.initializer}
    return {key: _matrix(numbers, place) for key, place in _places(graph).items()}


def stored_biases(content: bytes) -> dict[str, Tensor]:
    """Return the biases of an ONNX file by their names in the fp32 state_dict."""
    graph = _graph(content)
    numbers = {tensor.name: tensor for tensor in graph.initializer}
    found: dict[str, Tensor] = {}
    layer = 0
    for node in graph.node:
        if node.op_type in LSTM_OPERATORS:
            both = _tensor(numbers, node.input[3]).view(2, -1)
            for role, bias in zip(("ih", "hh"), both, strict=True):
                found[f"rnn.bias_{role}_l{layer}"] = bias[_rows(len(bias))].contiguous()
            layer += 1
        elif node.op_type == "Add":
            found["decoder.bias"] = _tensor(numbers, node.input[0])
    return found


def _graph(content: bytes):
    import onnx

    return onnx.load_from_string(content).graph


def _places(graph) -> dict[str, _Place]:
    """Return the matrices' places, by their names in the fp32 state_dict."""
    found: dict[str, _Place] = {}
    layer = 0
    for node in graph.node:
        if node.op_type in EMBEDDING_OPERATORS and not found:
            found["encoder.weight"] = _Place(node.input[0], columns=_columns(graph, node))
        elif node.op_type in LSTM_OPERATORS:
            for role, name in zip(("ih", "hh"), node.input[1:3], strict=True):
                place = _Place(name, is_transposed=node.op_type != "LSTM", has_gates=True)
                found[f"rnn.weight_{role}_l{layer}"] = place
            layer += 1
        elif node.op_type in DECODER_OPERATORS:
            columns = _columns(graph, node)
            found["decoder.weight"] = _Place(node.input[1], columns is None, columns=columns)
    return found


def _columns(graph, node) -> int | None:
    """Return the numbers in a row of the matrix that a node uses in blocks; None without blocks."""
    from onnx import numpy_helper

    if node.op_type == "MatMulNBits":
        return next(attribute.i for attribute in node.attribute if attribute.name == "K")
    if node.op_type != "GatherBlockQuantized":
        return None
    numbers = {tensor.name: tensor for tensor in graph.initializer}
    # A slice drops a column if the row has an odd number.
    name = node.input[0]
    end = numbers.get(name.removesuffix(QUANTIZED) + END)
    return 2 * numbers[name].dims[1] if end is None else int(numpy_helper.to_array(end)[0])


def _rows(number: int) -> Tensor:
    """Return the rows of PyTorch's gates (input, forget, cell, output) in ONNX's (i, o, f, c)."""
    return torch.arange(number).view(4, -1)[[0, 2, 3, 1]].flatten()


def _matrix(numbers: dict, place: _Place) -> Tensor | Blocks:
    """Return a matrix with its outputs as rows, in PyTorch's order."""
    values = _tensor(numbers, place.name)
    if place.columns is not None:
        scales = _tensor(numbers, _beside(place, SCALE))
        return Blocks(unpack(values.flatten(1), place.columns), scales)
    values = values.squeeze(0) if values.dim() == 3 else values  # an LSTM's one direction
    values = values.T if place.is_transposed else values
    rows = _rows(len(values)) if place.has_gates else slice(None)
    values = values[rows].contiguous()
    if not place.name.endswith(QUANTIZED):
        return values
    scale, zero = (
        _tensor(numbers, _beside(place, suffix)).flatten() for suffix in (SCALE, ZERO_POINT)
    )
    by_row = len(scale) > 1
    scale, zero = (scale[rows], zero[rows]) if by_row else (scale, zero)
    return quantized_tensor(values, scale, zero, by_row)


def _beside(place: _Place, suffix: str) -> str:
    return place.name.removesuffix(QUANTIZED) + suffix


def _tensor(numbers: dict, name: str) -> Tensor:
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(numbers[name]).copy())
