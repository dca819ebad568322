"""A state_dict of PyTorch's `quantize_dynamic`, unpacked. The states of PyTorch's packed classes
are read as data; no object of these classes is made.

An LSTM layer is a cell with two packed matrices; a Linear is one packed matrix. Each packed matrix
holds a bias and a weight: a quantized tensor, or floats for fp16.
"""

import re
from dataclasses import replace

import torch

from wlm.model.parts import PARTS
from wlm.weights.foreign import Found
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored

_CELL = re.compile(r"(.*)_all_weight_values\.(\d{1,3})\.param")
_LINEAR = "_packed_params._packed_params"
_EMBEDDING = "_packed_params._packed_weight"
_DTYPE = "_packed_params.dtype"
_CELL_KINDS = ("quantized_dynamic", "quantized_fp16")


def unpack(found: Found) -> Found:
    """Return the entries of such a state_dict under the names of the float model. They declare the
    parts in fp16 and in bf16, which become 32-bit floats. Other files and entries stay as they are.
    """
    entries, in_16_bits = {}, set()
    linears = {key.removesuffix(_LINEAR) for key in found.entries if key.endswith(_LINEAR)}
    skipped = {root + end for root in linears for end in ("scale", "zero_point")}
    for key, value in found.entries.items():
        cell = _CELL.fullmatch(key)
        if cell and (layer := _layer(value)):
            prefix, i = cell.groups()
            for way, (weight, bias) in zip(("ih", "hh"), layer, strict=True):
                entries[f"{prefix}weight_{way}_l{i}"] = weight
                entries[f"{prefix}bias_{way}_l{i}"] = bias
                in_16_bits |= set() if weight.is_quantized else {"lstm=fp16"}
        elif key.endswith(_LINEAR) and (pair := _pair(value)):
            root = key.removesuffix(_LINEAR)
            entries[f"{root}weight"] = pair[0]
            if pair[1] is not None:
                entries[f"{root}bias"] = pair[1]
            in_16_bits |= set() if pair[0].is_quantized else {"linear=fp16"}
        elif key.endswith(_EMBEDDING) and isinstance(value, Stored):
            entries[key.removesuffix(_EMBEDDING) + "weight"] = value
        elif not (key.endswith(_DTYPE) or key in skipped):
            entries[key] = value
            if isinstance(value, Stored) and value.dtype == torch.bfloat16:
                owners = [part for part in PARTS.values() if key.startswith(f"{part.module}.")]
                in_16_bits |= {f"{part.name}=bf16" for part in owners}
    declared = f"pytorch:{','.join(sorted(in_16_bits))}"
    return found if entries == found.entries else replace(found, entries=entries, variant=declared)


def _layer(value: object) -> list[tuple] | None:
    """Return the two packed matrices of an LSTM layer, each with its bias; None if it has none."""
    state = _state(value)
    if not (isinstance(state, tuple) and len(state) == 5 and state[0] in _CELL_KINDS):
        return None
    pairs = [_pair(pair) for pair in state[4]] if isinstance(state[4], list) else []
    return pairs if len(pairs) == 2 and all(pair and pair[1] for pair in pairs) else None


def _pair(value: object) -> tuple | None:
    """Return a packed weight and its bias (None without a bias); None if it is no packed weight."""
    pair = _state(value) if isinstance(value, Inert) else value
    if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], Stored)):
        return None
    return pair if pair[1] is None or isinstance(pair[1], Stored) else None


def _state(value: object) -> object:
    """Return the state of an object of a PyTorch class, stored with the class's name."""
    if not (isinstance(value, Inert) and value.name == "torch.ScriptObject"):
        return None
    return value.state[0] if isinstance(value.state, tuple) and value.state else None
