"""The weights in a file that comes from anyone: a state_dict, checked, nothing else unpickled."""

import math
import pickle
import re
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from wlm.errors import CheckpointError, SettingError
from wlm.model.lstm import ModelConfig

DTYPES = (torch.float16, torch.bfloat16, torch.float32)
_ALREADY_QUANTIZED = "the weights {!r} are already quantized: give the fp32 state_dict"


def read_weights(
    path: Path, config: ModelConfig | None = None, most_weights: int | None = None
) -> dict[str, Tensor]:
    """Return the state_dict in a .safetensors file or one that `torch.save` wrote.

    Keys, shapes and dtypes are checked before anything is allocated from them, their number too
    where `most_weights` bounds it; without a config the sizes are read off the shapes. Raises
    CheckpointError.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no file {str(path)!r}")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
                shapes = {key: tuple(each.get_shape()) for key, each in slices.items()}
                _check_shapes(shapes, config, path, most_weights)
                state_dict = {key: file.get_tensor(key) for key in shapes}
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"the weights {str(path)!r} are damaged or no safetensors file: {error}"
            ) from None
    else:
        state_dict = _read_torch_file(path)
        shapes = {key: tuple(value.shape) for key, value in state_dict.items()}
        _check_shapes(shapes, config, path, most_weights)
        # A few stored numbers can pose as a large tensor by strides of 0. Twice the file's size is
        # no such case: tied weights are stored once.
        claimed = sum(value.numel() * value.element_size() for value in state_dict.values())
        if claimed > 2 * path.stat().st_size:
            raise CheckpointError(
                f"the weights {str(path)!r} claim {claimed:,} bytes of numbers in a file of "
                f"{path.stat().st_size:,}"
            )
    for key, value in state_dict.items():
        if value.dtype not in DTYPES:
            allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES)
            raise CheckpointError(
                f"{key} in {str(path)!r} must be one of {allowed}, "
                f"got {str(value.dtype).removeprefix('torch.')}"
            )
    return state_dict


def _read_torch_file(path: Path) -> dict[str, Tensor]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                # A small compressed entry can unpack to any size; torch.save compresses nothing.
                if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                    raise ValueError("it holds compressed entries, which torch.save never writes")
        # mmap: nothing is read before it is checked; only the format since 2020 allows it.
        content = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found and found[1] == "torch.ScriptObject":  # the packed weights of an int8 LSTM
            raise CheckpointError(_ALREADY_QUANTIZED.format(str(path))) from None
        what = f"Python objects ({found[1]})" if found else "something else than tensors"
        raise CheckpointError(
            f"the weights {str(path)!r} hold {what}, which wlm never unpickles: "
            "save the weights alone, torch.save(model.state_dict(), path)"
        ) from None
    except Exception as error:  # torch.load raises nearly anything on a damaged file
        raise CheckpointError(
            f"the weights {str(path)!r} are damaged or no PyTorch file: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from None
    if not isinstance(content, dict):
        raise CheckpointError(
            f"the weights {str(path)!r} must be a state_dict, got {type(content).__name__}"
        )
    if any(str(key).endswith("_packed_params.dtype") for key in content):
        raise CheckpointError(_ALREADY_QUANTIZED.format(str(path)))
    for key, value in content.items():
        if not _is_plain(value):
            raise CheckpointError(
                f"{str(key)[:80]!r} in {str(path)!r} must be a plain tensor, "
                f"got {type(value).__name__}"
            )
    return content


def _is_plain(value: object) -> bool:
    """Tell whether a value is an ordinary tensor in memory."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_quantized or value.is_nested)
    )


def _check_shapes(
    shapes: dict[str, tuple[int, ...]],
    config: ModelConfig | None,
    path: Path,
    most_weights: int | None,
) -> None:
    config = config or _config_from_shapes(shapes, path)
    expected = config.shapes()
    missing, foreign = expected.keys() - shapes.keys(), shapes.keys() - expected.keys()
    if missing or foreign:
        differences = [
            f"{words} {', '.join(sorted(map(repr, keys))[:3])}{' …' if len(keys) > 3 else ''}"
            for words, keys in (("misses", missing), ("has unknown", foreign))
            if keys
        ]
        raise CheckpointError(
            f"the weights {str(path)!r} must have the {len(expected)} keys of an LSTMModel of "
            f"{config.nlayers} layers, but the file {' and '.join(differences)}"
        )
    for key, shape in expected.items():
        if shapes[key] != shape:
            raise CheckpointError(
                f"{key} in {str(path)!r} must have the shape {shape}, got {shapes[key]}"
            )
    weights = sum(math.prod(shape) for shape in expected.values())
    if most_weights is not None and weights > most_weights:
        raise CheckpointError(
            f"{str(path)!r} must have at most {most_weights:,} weights, got {weights:,}"
        )


def _config_from_shapes(shapes: dict[str, tuple[int, ...]], path: Path) -> ModelConfig:
    try:
        ntoken, ninp = shapes["encoder.weight"]
        nhid = shapes["rnn.weight_hh_l0"][1]
        nlayers = sum(str(key).startswith("rnn.weight_hh_l") for key in shapes)
        return ModelConfig(ntoken, ninp, nhid, nlayers)
    except (KeyError, ValueError, IndexError, SettingError) as error:
        raise CheckpointError(
            f"the weights {str(path)!r} are not an LSTMModel's, which has encoder.weight (V, E) "
            f"and rnn.weight_hh_l0 (4H, H): {error}"
        ) from None


def config_of(state_dict: dict[str, Tensor], path: Path) -> ModelConfig:
    """Return the sizes of a model by the shapes of its state_dict. Raises CheckpointError."""
    return _config_from_shapes({key: tuple(each.shape) for key, each in state_dict.items()}, path)
