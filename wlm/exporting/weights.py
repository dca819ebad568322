"""The file of an export's weights."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from wlm.model.imported import PARTS, VARIANT
from wlm.model.onnx_file import marked
from wlm.model.quantized import as_arrays
from wlm.quantization.prepare import PreparedModel
from wlm.quantization.variant import SHORT_FORMS, Variant


def write_weights(path: Path, prepared: PreparedModel, variant: Variant, format: str) -> None:
    """Write a variant's weights in a format that can hold it. Raises OSError."""
    name = SHORT_FORMS.get(str(variant), str(variant))
    if format == "torch":
        torch.save(prepared.module.state_dict(), path)
    elif format == "onnx":
        path.write_bytes(marked(prepared.content, name))
    elif format == "safetensors":
        save_file({key: each.contiguous() for key, each in _numbers(prepared).items()}, path)
    else:
        arrays = {key: each.numpy() for key, each in _arrays(prepared, variant).items()}
        np.savez(path, **{VARIANT: np.array(name)}, **arrays)


def _numbers(prepared: PreparedModel) -> dict[str, Tensor]:
    numbers = {**prepared.matrices(), **prepared.biases()}
    return {key: numbers[key] for key in prepared.config.shapes()}


def _arrays(prepared: PreparedModel, variant: Variant) -> dict[str, Tensor]:
    """All numbers as plain tensors; what PyTorch runs in fp16 is in fp16."""
    arrays = as_arrays(_numbers(prepared))
    for key, each in arrays.items():
        first, _, rest = key.partition(".")
        if rest.startswith("weight") and getattr(variant, PARTS[first]) == "fp16":
            arrays[key] = each.half()
    return arrays
