"""A model on disk: weights, vocabulary and card in one folder; never a pickled module."""

import hashlib
import json
import math
import pickle
import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wlm.corpus import Corpus, Vocabulary
from wlm.errors import CheckpointError, SettingError
from wlm.model import LSTMModel, ModelConfig

WEIGHTS, VOCABULARY, CARD = "model.safetensors", "vocab.txt", "card.json"
DTYPES = (torch.float16, torch.bfloat16, torch.float32)
LARGEST_CARD = 1_000_000  # bytes
_ALREADY_QUANTIZED = "the weights {!r} are already quantized: give the fp32 state_dict"


@dataclass(frozen=True)
class Checkpoint:
    """A model in fp32 and evaluation mode, its vocabulary, and its card (a JSON object)."""

    name: str
    model: LSTMModel
    vocabulary: Vocabulary
    card: dict


def load_checkpoint(
    path: str | Path,
    *,
    vocabulary: str | Path | None = None,
    corpus: str | Path | None = None,
    most_weights: int | None = None,
) -> Checkpoint:
    """Load a model folder, or a bare state_dict with a vocabulary file or a corpus folder.

    A folder holds model.safetensors, vocab.txt and card.json. A bare state_dict is a .safetensors
    file or one that `torch.save` wrote; its sizes are read off its shapes. fp16 and bf16 weights
    become fp32. Keys, shapes and dtypes are checked before anything is allocated from them, their
    number too where `most_weights` bounds it, and nothing is unpickled but tensors
    (`weights_only`).

    Raises CheckpointError for weights or a card that are missing, damaged or foreign, TextError
    for such a vocabulary or corpus.
    """
    path = Path(path)
    if path.is_dir():
        card = _read_card(path / CARD)
        config = _config_from_card(card, path / CARD)
        weights = path / WEIGHTS
        if corpus is None:
            vocabulary = vocabulary or path / VOCABULARY
        _check_hash(weights, card)
    else:
        _must_exist(path)
        if (vocabulary is None) == (corpus is None):
            raise CheckpointError(
                f"the weights {str(path)!r} stand alone: give either the vocabulary file or the "
                "corpus folder that they were trained with"
            )
        card, config, weights = {}, None, path
    words = (
        Vocabulary.from_file(vocabulary)
        if vocabulary is not None
        else Corpus.from_folder(corpus).vocabulary
    )
    state_dict = _read_weights(weights, config, most_weights)
    model = _build(state_dict, config or _config_of(state_dict, weights), weights)
    if len(words) != model.config.ntoken:
        raise CheckpointError(
            f"the vocabulary must have as many words as the model, {model.config.ntoken:,}, "
            f"got {len(words):,}"
        )
    return Checkpoint(path.stem if path.is_file() else path.resolve().name, model, words, card)


def save_checkpoint(
    folder: str | Path,
    model: LSTMModel,
    vocabulary: Vocabulary,
    card: dict | None = None,
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a model folder that `load_checkpoint` reads; the card last, each file at once or not.

    Raises CheckpointError where the vocabulary does not fit the model or the folder cannot be
    written.
    """
    config = asdict(model.config)
    if len(vocabulary) != config["ntoken"]:
        raise CheckpointError(
            f"the vocabulary must have {config['ntoken']:,} words, got {len(vocabulary):,}"
        )
    if model.state_dict().keys() != model.config.shapes().keys():
        raise CheckpointError("only an fp32 LSTMModel can be saved, not a quantized one")
    folder = Path(folder)
    tensors = {key: value.to(dtype).contiguous() for key, value in model.state_dict().items()}
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise CheckpointError(f"{key} must be finite in {dtype}, but holds NaN or inf")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / WEIGHTS, lambda path: save_file(tensors, path))
        write_whole(folder / VOCABULARY, vocabulary.save)
        architecture = {"class": "LSTMModel", **config}
        facts = {
            "name": folder.resolve().name,
            **(card or {}),
            "architecture": architecture,
            "stored_dtype": str(dtype).removeprefix("torch."),
            "sha256": _sha256(folder / WEIGHTS),
        }
        write_whole(
            folder / CARD, lambda path: path.write_text(json.dumps(facts, indent=2), "utf-8")
        )
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"the model cannot be written to {str(folder)!r}: {error}") from None


def checked_card(folder: str | Path) -> dict:
    """Return a model folder's card, once its weights are found to be those that it describes.

    Raises CheckpointError.
    """
    card = _read_card(Path(folder) / CARD)
    _check_hash(Path(folder) / WEIGHTS, card)
    return card


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` write a file beside its place and move it there: at once, or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        write(Path(folder) / path.name)
        (Path(folder) / path.name).replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_hash(weights: Path, card: dict) -> None:
    _must_exist(weights)
    if "sha256" in card and (found := _sha256(weights)) != card["sha256"]:
        raise CheckpointError(
            f"the weights {str(weights)!r} are damaged or not those of the card: "
            f"their sha256 must be {card['sha256']!s:.12}…, got {found:.12}…"
        )


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(f"there is no file {str(path)!r}")


def _read_card(path: Path) -> dict:
    _must_exist(path)
    try:
        if path.stat().st_size > LARGEST_CARD:
            raise ValueError(f"it is larger than {LARGEST_CARD:,} bytes")
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"the card {str(path)!r} cannot be read: {error}") from None
    if not isinstance(card, dict) or not isinstance(card.get("architecture"), dict):
        raise CheckpointError(f"the card {str(path)!r} must be an object with an 'architecture'")
    return card


def _config_from_card(card: dict, path: Path) -> ModelConfig:
    sizes = {key: value for key, value in card["architecture"].items() if key != "class"}
    try:
        return ModelConfig(**sizes)
    except (TypeError, SettingError) as error:
        raise CheckpointError(f"the card {str(path)!r} gives no usable model: {error}") from None


def _read_weights(
    path: Path, config: ModelConfig | None, most_weights: int | None
) -> dict[str, Tensor]:
    """Return a checked state_dict; without a config its sizes are read off the shapes."""
    _must_exist(path)
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


def _config_of(state_dict: dict[str, Tensor], path: Path) -> ModelConfig:
    return _config_from_shapes({key: tuple(each.shape) for key, each in state_dict.items()}, path)


def _build(state_dict: dict[str, Tensor], config: ModelConfig, path: Path) -> LSTMModel:
    """Make the model of a checked state_dict."""
    # A copy, so that a changing file cannot change the model.
    copies = {key: each.to(torch.float32, copy=True) for key, each in state_dict.items()}
    for key, value in copies.items():
        if not value.isfinite().all():
            raise CheckpointError(f"{key} in {str(path)!r} must be finite, but holds NaN or inf")
    # Drawing weights that are replaced at once must not disturb anyone's random numbers. (The meta
    # device draws none, but its first use loads a compiler, which takes over a second.)
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(**asdict(config))
    model.load_state_dict(copies, assign=True)
    return model.requires_grad_(False).eval()
