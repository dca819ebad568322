"""The three parts of an LSTMModel that a variant can quantize: one table for all their names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part's names.

    name: in a variant; stage: in a pass that is timed or inspected; module: in LSTMModel, and at
    the beginning of its keys in a state_dict; label: on pages, also PyTorch's class in `torch.nn`;
    operator: in an ONNX file.
    """

    name: str
    stage: str
    module: str
    label: str
    operator: str


LSTM = Part("lstm", "LSTM", "rnn", "LSTM", "LSTM")
LINEAR = Part("linear", "decoder", "decoder", "Linear", "MatMul")
EMBEDDING = Part("embedding", "embedding", "encoder", "Embedding", "Gather")
PARTS = {part.name: part for part in (LSTM, LINEAR, EMBEDDING)}
IN_A_PASS = (EMBEDDING, LSTM, LINEAR)
_BY_MODULE = {part.module: part for part in IN_A_PASS}


def part_of_key(key: str) -> Part:
    """Return the part that owns a key of a state_dict, quantized or not. Raises KeyError."""
    return _BY_MODULE[key.partition(".")[0]]
