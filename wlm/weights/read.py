"""The weights in a file from anyone: checked before they are read, and never unpickled."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from wlm.errors import CheckpointError, shown
from wlm.files import why_unreadable
from wlm.model.lstm import ModelConfig
from wlm.weights.file_kinds import NPZ, SAFETENSORS, TORCH, kind_of
from wlm.weights.foreign import Found, find_weights
from wlm.weights.imported import VARIANT
from wlm.weights.integers import from_arrays
from wlm.weights.naming import name_tensors
from wlm.weights.npz_file import read_npz
from wlm.weights.other_models import refuse_others
from wlm.weights.packed import unpack
from wlm.weights.stored import Stored, damaged
from wlm.weights.torch_file import TorchFile

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
MOST_BYTES = 8_000_000_000  # two billion weights, or fewer with an optimizer's state
MOST_HEADER = 4_000_000  # bytes of a safetensors header, for some 40,000 tensors
# Of a weight: the sum of 8,192 products of two such weights is still finite in fp32.
MOST_SIZE = 1e15
_SAFETENSORS_DTYPES = {
    **dict(zip(("F16", "BF16", "F32", "F64"), DTYPES, strict=True)),
    **{"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8},
    **{"U8": torch.uint8, "BOOL": torch.bool, "U16": torch.uint16},
    **{"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2},
}


@dataclass(frozen=True)
class Weights:
    """A model's checked weights, not yet read: its sizes; in words how they were found, if the file
    is no plain state_dict of an LSTMModel; its tensors by name (None for zeros); and the variant
    that the file declares, if any."""

    config: ModelConfig
    words: str | None
    tensors: dict[str, Stored | None]
    path: Path
    variant: str = ""

    def read_into(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """Fill a model's tensors with the file's numbers, one tensor at a time: none is in memory
        twice.

        Returns the matrices that are quantized in the file, unchanged. Raises CheckpointError.
        """
        quantized = {}
        for key, weight in state_dict.items():
            stored = self.tensors[key]
            value = torch.zeros(()) if stored is None else stored.read()
            if value.is_quantized:
                quantized[key] = value
                value = value.dequantize()
            # A copy, so that a changing file cannot change the model.
            weight.copy_(value)
            # `isfinite` of all numbers at once would make two copies.
            ends = [float(end) for end in weight.aminmax()]
            if not all(map(math.isfinite, ends)):
                raise CheckpointError(
                    f"{key} in {str(self.path)!r} must be finite, but holds NaN or inf"
                )
            if max(map(abs, ends)) > MOST_SIZE:
                raise CheckpointError(
                    f"{key} in {str(self.path)!r} must lie within ±{MOST_SIZE:g}, for sums not to "
                    f"overflow, got {max(ends, key=abs):.3g}"
                )
        return quantized


def read_weights(
    path: Path, config: ModelConfig | None = None, most_weights: int | None = None
) -> Weights:
    """Find the weights in a file.

    A file is safetensors, an .npz file of floats, or what `torch.save` wrote of a state_dict, an
    object that holds one, or a whole module. Such a state_dict may be quantized by
    `quantize_dynamic`.

    Shapes, dtypes and sizes are checked, and the number of weights against `most_weights`. If there
    is no config, the shapes give the sizes. Raises CheckpointError.
    """
    check_weights_file(path)
    found = _FINDERS[kind_of(path)](path)
    refuse_others(found, str(path))
    tensors, sizes, matched = name_tensors(found, str(path))
    config = config or sizes
    _check(tensors, config, path)
    _check_size(tensors, path, most_weights)
    is_wide = any(tensor and tensor.dtype == torch.float64 for tensor in tensors.values())
    said = [found.words, matched, "rounded from float64 to float32" if is_wide else ""]
    words = shown("; ".join(filter(None, said)), 400) or None
    return Weights(config, words, tensors, path, found.variant)


def check_weights_file(path: Path) -> None:
    """Raise CheckpointError unless the file exists and has a size that weights may have."""
    try:
        reason = why_unreadable(path, MOST_BYTES)
    except FileNotFoundError:
        raise CheckpointError(f"there is no file {str(path)!r}") from None
    if reason:
        raise CheckpointError(f"the weights {str(path)!r} cannot be read: {reason}")


def _torch(path: Path) -> Found:
    return unpack(find_weights(TorchFile(path).content, str(path)))


def _safetensors(path: Path) -> Found:
    try:
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if header > MOST_HEADER:
            raise ValueError(f"its header must have at most {MOST_HEADER:,} bytes, got {header:,}")
        with safe_open(path, framework="pt") as file:
            keys, metadata = list(file.keys()), file.metadata() or {}
            entries = {key: _described(path, key, file.get_slice(key)) for key in keys}
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, "safetensors", error) from None
    # If tensors share their numbers, save_model keeps one and refers the others to it.
    alias = {key: kept for key, kept in metadata.items() if kept in entries and key not in entries}
    entries.update({key: entries[kept] for key, kept in alias.items()})
    note = ", ".join(f"{key!r} is {kept!r}" for key, kept in list(alias.items())[:4])
    entries, variant = from_arrays(entries), metadata.get(VARIANT, "")
    return Found(entries, note=f"tied: {note}" if note else "", variant=variant)


def _described(path: Path, key: str, found) -> Stored:
    shape = tuple(found.get_shape())
    dtype = _SAFETENSORS_DTYPES.get(found.get_dtype(), torch.bits8)  # not needed, whatever it is

    def read() -> Tensor:
        try:
            with safe_open(path, framework="pt") as file:
                value = file.get_tensor(key)
        except (SafetensorError, OSError, ValueError) as error:
            raise damaged(path, "safetensors", error) from None
        if (value.shape, value.dtype) != (shape, dtype):
            raise damaged(path, "safetensors", "it changed while it was read")
        return value

    return Stored(shape, dtype, read, key, math.prod(shape))


_FINDERS = {TORCH: _torch, SAFETENSORS: _safetensors, NPZ: read_npz}


def _check(tensors: dict[str, Stored | None], config: ModelConfig, path: Path) -> None:
    """Raise CheckpointError unless shapes and dtypes fit a model of these sizes."""
    expected = config.shapes()
    if tensors.keys() != expected.keys():
        layers = sum(key.startswith("rnn.weight_hh") for key in tensors)
        raise CheckpointError(
            f"the weights {str(path)!r} must have {config.nlayers} LSTM layers, got {layers}"
        )
    for key, shape in expected.items():
        stored = tensors[key]
        if stored and stored.shape != shape:
            raise CheckpointError(
                f"{key} in {str(path)!r} must have the shape {shape}, got {shown(stored.shape)}"
            )
        if stored and stored.dtype not in DTYPES and not stored.is_quantized:
            allowed, got = (", ".join(map(_name, dtypes)) for dtypes in (DTYPES, [stored.dtype]))
            raise CheckpointError(f"{key} in {str(path)!r} must be one of {allowed}, got {got}")


def _check_size(tensors: dict[str, Stored | None], path: Path, most_weights: int | None) -> None:
    """Raise CheckpointError for more weights than allowed, or than the file can hold."""
    stored = [tensor for tensor in tensors.values() if tensor]
    weights = sum(tensor.count for tensor in stored)
    if most_weights is not None and weights > most_weights:
        raise CheckpointError(
            f"{str(path)!r} must have at most {most_weights:,} weights, got {weights:,}"
        )
    # A few stored numbers can pose as a large tensor by strides of 0, or as many tensors. Tied
    # weights, the same numbers under two keys, are no such case.
    places = {tensor.place: tensor for tensor in stored}.values()
    claimed = sum(tensor.count * tensor.dtype.itemsize for tensor in places)
    size = path.stat().st_size
    if claimed > 2 * size or any(tensor.count > tensor.held for tensor in stored):
        raise CheckpointError(
            f"the weights {str(path)!r} claim {claimed:,} bytes of numbers in a file of {size:,}"
        )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
