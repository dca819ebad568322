"""The weights in an ONNX file, part by part, as the PyTorch model names and orders them."""

import warnings

import torch
from torch import Tensor

from wlm.model.lstm import ModelConfig
from wlm.quantization.onnx.names import (
    DECODER_OPERATORS,
    LSTM_OPERATORS,
    QUANTIZED,
    SCALE,
    ZERO_POINT,
)


def stored_parts(content: bytes, names: list[str]) -> dict[str, int]:
    """Return the bytes of numbers that each part stores in an ONNX file, scales included.

    `names` are the parts in the order of a pass, which is the order of the file's operators: those
    before the first LSTM belong to the embedding, those after the last one to the decoder.
    """
    from onnx import numpy_helper

    graph = _graph(content)
    sizes = {each.name: numpy_helper.to_array(each).nbytes for each in graph.initializer}
    parts, layers = dict.fromkeys(names, 0), 0
    for node in graph.node:
        is_lstm = node.op_type in LSTM_OPERATORS
        layers += is_lstm
        after_all = layers == len(names) - 2 and not is_lstm
        part = names[-1] if after_all else names[layers]
        # One that several operators share is stored once.
        parts[part] += sum(sizes.pop(name, 0) for name in node.input)
    return parts


def stored_matrices(content: bytes, config: ModelConfig) -> dict[str, Tensor]:
    """Return the weight matrices of an ONNX file by their names in the fp32 state_dict: floats, or
    quantized tensors with the file's integers, scales and zero points."""
    graph = _graph(content)
    numbers = {each.name: each for each in graph.initializer}
    found: dict[str, Tensor] = {}
    layer = 0
    for node in graph.node:
        if node.op_type == "Gather" and not found:
            found["encoder.weight"] = _matrix(numbers, node.input[0])
        elif node.op_type in LSTM_OPERATORS:
            for role, name in zip(("ih", "hh"), node.input[1:3], strict=True):
                is_transposed = node.op_type != "LSTM"
                matrix = _matrix(numbers, name, is_transposed, _rows(config.nhid))
                found[f"rnn.weight_{role}_l{layer}"] = matrix
            layer += 1
        elif node.op_type in DECODER_OPERATORS:
            found["decoder.weight"] = _matrix(numbers, node.input[1], is_transposed=True)
    return found


def _graph(content: bytes):
    import onnx

    return onnx.load_from_string(content).graph


def _rows(nhid: int) -> Tensor:
    """Where PyTorch's gates (input, forget, cell, output) are among ONNX's (i, o, f, c)."""
    return torch.cat([torch.arange(gate * nhid, (gate + 1) * nhid) for gate in (0, 2, 3, 1)])


def _matrix(
    numbers: dict, name: str, is_transposed: bool = False, rows: Tensor | None = None
) -> Tensor:
    """A matrix with its outputs as rows, in PyTorch's order."""
    values = _tensor(numbers, name)
    values = values.squeeze(0) if values.dim() == 3 else values  # an LSTM's one direction
    values = values.T if is_transposed else values
    values = (values if rows is None else values[rows]).contiguous()
    if not name.endswith(QUANTIZED):
        return values
    stem = name.removesuffix(QUANTIZED)
    scale = _tensor(numbers, stem + SCALE).flatten()
    zero = _tensor(numbers, stem + ZERO_POINT).flatten()
    if len(scale) > 1 and rows is not None:
        scale, zero = scale[rows], zero[rows]
    dtype = torch.quint8 if values.dtype == torch.uint8 else torch.qint8
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        # Quantizing what the integers stand for gives the same integers.
        floats = (values.float() - zero.float().view(-1, 1)) * scale.view(-1, 1)
        if len(scale) == 1:
            return torch.quantize_per_tensor(floats, float(scale), int(zero), dtype)
        return torch.quantize_per_channel(floats, scale, zero.long(), 0, dtype)


def _tensor(numbers: dict, name: str) -> Tensor:
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(numbers[name]).copy())
