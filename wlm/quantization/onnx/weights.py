"""The weights in an ONNX file, part by part, as the PyTorch model names and orders them."""

import torch
from torch import Tensor

from wlm.model.int4 import Int4Matrix, unpack
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


def stored_parts(content: bytes, names: list[str]) -> dict[str, int]:
    """Return the bytes of numbers that every part stores in an ONNX file, scales included.

    `names` are the parts in the order of a pass, which is the order of the file's operators: those
    before the first LSTM belong to the embedding, those after the last one to the decoder.
    """
    file = _File(content)
    sizes = {name: file.array(name).nbytes for name in file.numbers}
    parts, layers = dict.fromkeys(names, 0), 0
    for node in file.nodes:
        is_lstm = node.op_type in LSTM_OPERATORS
        layers += is_lstm
        after_all = layers == len(names) - 2 and not is_lstm
        part = names[-1] if after_all else names[layers]
        # A tensor that several operators share is stored once.
        parts[part] += sum(sizes.pop(name, 0) for name in node.input)
    return parts


def stored_numbers(content: bytes) -> dict[str, Tensor | Int4Matrix]:
    """Return the weights and biases of an ONNX file by their names in the fp32 state_dict: floats,
    or quantized tensors or an Int4Matrix with the file's integers, scales and zero points."""
    file, layer = _File(content), 0
    found: dict[str, Tensor | Int4Matrix] = {}
    for node in file.nodes:
        if node.op_type in EMBEDDING_OPERATORS and not found:
            found["encoder.weight"] = file.int4(node) or file.matrix(node.input[0])
        elif node.op_type in LSTM_OPERATORS:
            is_transposed = node.op_type != "LSTM"
            both = file.tensor(node.input[3]).view(2, -1)
            for role, name, bias in zip(("ih", "hh"), node.input[1:3], both, strict=True):
                weight = file.matrix(name, is_transposed=is_transposed, has_gates=True)
                found[f"rnn.weight_{role}_l{layer}"] = weight
                found[f"rnn.bias_{role}_l{layer}"] = bias[_rows(len(bias))]
            layer += 1
        elif node.op_type in DECODER_OPERATORS:
            matrix = file.int4(node) or file.matrix(node.input[1], is_transposed=True)
            found["decoder.weight"] = matrix
        elif node.op_type == "Add":
            found["decoder.bias"] = file.tensor(node.input[0])
    return found


class _File:
    """An ONNX file's operators, and its numbers by their names in the file."""

    def __init__(self, content: bytes):
        import onnx

        graph = onnx.load_from_string(content).graph
        self.nodes = graph.node
        self.numbers = {tensor.name: tensor for tensor in graph.initializer}

    def array(self, name: str):
        from onnx import numpy_helper

        return numpy_helper.to_array(self.numbers[name])

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.array(name).copy())

    def int4(self, node) -> Int4Matrix | None:
        """Return the int4 matrix of an operator; None if the operator's matrix is not in int4."""
        if node.op_type == "MatMulNBits":
            name = node.input[1]
            columns = next(fact.i for fact in node.attribute if fact.name == "K")
        elif node.op_type == "GatherBlockQuantized":
            name = node.input[0]
            # A slice drops a column if the row has an odd number.
            end = _beside(name, END)
            has_end = end in self.numbers
            columns = int(self.array(end)[0]) if has_end else 2 * self.numbers[name].dims[1]
        else:
            return None
        packed = self.tensor(name).flatten(1)
        return Int4Matrix(unpack(packed, columns), self.tensor(_beside(name, SCALE)))

    def matrix(self, name: str, *, is_transposed: bool = False, has_gates: bool = False) -> Tensor:
        """Return a matrix with its outputs as rows, in PyTorch's order. In the file, outputs may be
        columns, and gates of an LSTM are in ONNX's order."""
        values = self.tensor(name)
        values = values.squeeze(0) if values.dim() == 3 else values  # an LSTM's one direction
        values = values.T if is_transposed else values
        rows = _rows(len(values)) if has_gates else slice(None)
        values = values[rows].contiguous()
        if not name.endswith(QUANTIZED):
            return values
        scale = self.tensor(_beside(name, SCALE)).flatten()
        zero = self.tensor(_beside(name, ZERO_POINT)).flatten()
        by_row = len(scale) > 1
        scale, zero = (scale[rows], zero[rows]) if by_row else (scale, zero)
        return quantized_tensor(values, scale, zero, by_row)


def _rows(number: int) -> Tensor:
    """Return the rows of PyTorch's gates (input, forget, cell, output) in ONNX's (i, o, f, c)."""
    return torch.arange(number).view(4, -1)[[0, 2, 3, 1]].flatten()


def _beside(name: str, suffix: str) -> str:
    return name.removesuffix(QUANTIZED) + suffix
