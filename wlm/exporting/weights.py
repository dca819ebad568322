"""The file of an export's weights."""

import errno
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from wlm.errors import shown
from wlm.model.parts import part_of_key
from wlm.quantization.prepare import PreparedModel
from wlm.quantization.variant import Variant
from wlm.weights.integers import as_arrays


def write_weights(path: Path, prepared: PreparedModel, variant: Variant, format: str) -> None:
    """Write a variant's weights in a format that can hold it. Raises OSError."""
    try:
        _write(path, prepared, variant, format)
    except (RuntimeError, SafetensorError) as error:  # torch and safetensors: disk full
        raise OSError(errno.EIO, shown(error)) from None


def _write(path: Path, prepared: PreparedModel, variant: Variant, format: str) -> None:
    if format == "torch":
        torch.save(prepared.module.state_dict(), path)
    elif format == "onnx":
        path.write_bytes(prepared.content)
    elif format == "safetensors":
        entries = prepared.module.state_dict().items()
        save_file({key: value.contiguous() for key, value in entries}, path)
    else:
        arrays = _arrays(prepared, variant)
        np.savez(path, **{key: value.numpy() for key, value in arrays.items()})


def _numbers(prepared: PreparedModel) -> dict[str, Tensor]:
    numbers = {**prepared.matrices(), **prepared.biases()}
    return {key: numbers[key] for key in prepared.config.shapes()}


def _arrays(prepared: PreparedModel, variant: Variant) -> dict[str, Tensor]:
    """Return all numbers as plain tensors; weights that PyTorch runs in fp16 are in fp16."""
    arrays = as_arrays(_numbers(prepared))
    for key, value in arrays.items():
        if ".weight" in key and getattr(variant, part_of_key(key).name) == "fp16":
            arrays[key] = value.half()
    return arrays
