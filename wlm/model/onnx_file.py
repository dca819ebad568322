"""An ONNX file as the command export writes it: marked when written, its numbers read back.

The file is not run: a model is made of its numbers, which is that of the file only if the file's
operators are still those that were marked.
"""

import hashlib
import math
from importlib.util import find_spec
from pathlib import Path

import torch

from wlm.errors import CheckpointError
from wlm.model.foreign import Found
from wlm.model.imported import VARIANT
from wlm.model.onnx_weights import stored_biases, stored_matrices
from wlm.model.pickled import reason
from wlm.model.stored import Stored

OPERATORS = "wlm.operators"  # what files call the digest of their operators
_VARIANT = f"wlm.{VARIANT}"
MOST_BYTES = 2**31 - 1  # the most of a protocol buffer


def marked(content: bytes, variant: str) -> bytes:
    """Return an ONNX file of ours with the long name of its variant and its operators' digest."""
    import onnx

    model = onnx.load_from_string(content)
    facts = {_VARIANT: variant, OPERATORS: _operators(model.graph)}
    onnx.helper.set_model_props(model, facts)
    return model.SerializeToString()


def _operators(graph) -> str:
    """A digest of what is computed, whatever the numbers."""
    digest = hashlib.sha256()
    for each in (*graph.node, *graph.input, *graph.output):
        digest.update(each.SerializeToString(deterministic=True))
    return digest.hexdigest()


def read_onnx(path: Path) -> Found:
    """Return the numbers of an ONNX file that is marked. Raises CheckpointError."""
    if find_spec("onnx") is None:
        raise CheckpointError(
            f"the weights {str(path)!r} are an ONNX file: reading one needs the package onnx, "
            "not installed here: pip install onnx"
        )
    import onnx

    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"it must have at most {MOST_BYTES:,} bytes, got {size:,}")
        content = path.read_bytes()
        model = onnx.load_from_string(content)
        facts = {each.key: each.value for each in model.metadata_props}
        is_ours = facts.get(OPERATORS) == _operators(model.graph)
        if is_ours:
            external = onnx.TensorProto.EXTERNAL
            if any(each.data_location == external for each in model.graph.initializer):
                raise ValueError("its numbers are in another file")
            numbers = {**stored_matrices(content), **stored_biases(content)}
    except Exception as error:  # of many kinds: protobuf's, onnx's, and of numbers that do not fit
        raise CheckpointError(
            f"the weights {str(path)!r} are damaged or no ONNX file: {reason(error)}"
        ) from None
    if not is_ours:
        raise CheckpointError(
            f"the weights {str(path)!r} are an ONNX file that wlm did not write, or not so: "
            "give the PyTorch weights that it was exported from"
        )
    entries = {name: _stored(name, each) for name, each in numbers.items()}
    return Found(entries, note="from an ONNX file", variant=facts.get(_VARIANT, ""))


def _stored(name: str, value: torch.Tensor) -> Stored:
    return Stored(tuple(value.shape), value.dtype, lambda: value, name, math.prod(value.shape))
