"""A model on disk: weights, vocabulary and card in one folder; never a pickled module."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from wlm.errors import CheckpointError, SettingError, is_number, shown
from wlm.files import sha256_of, why_unreadable, write_whole
from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.text.corpus import Corpus
from wlm.text.vocabulary import Vocabulary
from wlm.weights.archive import CARD, VOCABULARY, WEIGHTS, model_folder
from wlm.weights.file_kinds import without_card
from wlm.weights.imported import VARIANT, imported_variant
from wlm.weights.integers import as_arrays
from wlm.weights.read import Weights, check_weights_file, read_weights

EXPORTED_WEIGHTS = (WEIGHTS, "model.pt", "model.onnx", "model.npz")  # that a card may name
LARGEST_CARD = 1_000_000  # bytes


@dataclass(frozen=True)
class Checkpoint:
    """A model in evaluation mode, in fp32 unless it is `imported`, with its files' content.

    `card` is a JSON object. `sha256` is the hash of the weights' file, None if there is no file.
    `weights_read` tells in words how the weights were read, if the file was no plain state_dict of
    an LSTMModel.
    """

    name: str
    model: LSTMModel
    vocabulary: Vocabulary
    card: dict
    sha256: str | None = None
    weights_read: str | None = None


def load_checkpoint(
    path: str | Path,
    *,
    vocabulary: str | Path | None = None,
    corpus: str | Path | None = None,
    most_weights: int | None = None,
) -> Checkpoint:
    """Load a model folder, or bare weights with a vocabulary file or a corpus folder.

    A folder holds model.safetensors, or the weights that its card names, vocab.txt and card.json; a
    zip archive of one is read as the folder. Bare weights are what `read_weights` reads, their
    sizes taken from their shapes. Weights become fp32; quantized weights stay as they are. Keys,
    shapes and dtypes are checked before anything is allocated from them, and their number if
    `most_weights` limits it. Nothing is unpickled.

    Raises CheckpointError for weights or a card that are missing, damaged or foreign, TextError
    for such a vocabulary or corpus.
    """
    path = Path(path)
    with model_folder(path) as folder:
        if folder.is_dir():
            card = _read_card(folder)
            config, weights = config_on_card(folder, card), weights_path(folder, card)
            if corpus is None:
                vocabulary = vocabulary or folder / VOCABULARY
        else:
            card, config, weights = {}, None, folder
            check_weights_file(weights)
            if (vocabulary is None) == (corpus is None):
                raise CheckpointError(
                    f"the weights {str(path)!r} stand alone: give either the vocabulary file or "
                    "the corpus folder that they were trained with"
                )
        sha256 = _check_hash(weights, card)
        if vocabulary is not None:
            words = Vocabulary.from_file(vocabulary)
        else:
            words = Corpus.from_folder(corpus).vocabulary
        found = read_weights(weights, config, most_weights)
        model = _build(found, card)
    if len(words) != model.config.ntoken:
        raise CheckpointError(
            f"the vocabulary must have as many words as the model, {model.config.ntoken:,}, "
            f"got {len(words):,}"
        )
    name = path.resolve().name if path.is_dir() else path.stem
    came_as = model.imported and f"already quantized, imported as {model.imported.variant}"
    weights_read = "; ".join(filter(None, [found.words, came_as])) or card.get("weights_read")
    return Checkpoint(name, model, words, card, sha256, weights_read)


def save_checkpoint(
    folder: str | Path,
    model: LSTMModel,
    vocabulary: Vocabulary,
    card: dict | None = None,
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a model folder that `load_checkpoint` reads: each file whole or not at all, card last.

    A model whose weights were loaded quantized is written with the same weights.

    Raises CheckpointError if the vocabulary does not fit the model or the folder cannot be written.
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
    metadata = None
    if model.imported:
        tensors = as_arrays({**model.state_dict(), **model.imported.matrices})
        metadata = {VARIANT: model.imported.variant}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / WEIGHTS, lambda path: save_file(tensors, path, metadata))
        write_whole(folder / VOCABULARY, vocabulary.save)
        architecture = {"class": "LSTMModel", **config}
        facts = {
            "name": folder.resolve().name,
            **(card or {}),
            "architecture": architecture,
            "stored_dtype": str(dtype).removeprefix("torch."),
            "sha256": sha256_of(folder / WEIGHTS),
            **({VARIANT: model.imported.variant} if model.imported else {}),
        }
        write_whole(
            folder / CARD, lambda path: path.write_text(json.dumps(facts, indent=2), "utf-8")
        )
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the model cannot be written to {str(folder)!r}: {shown(error)}"
        ) from None


def checked_card(folder: str | Path) -> dict:
    """Return a model folder's card and its weights' sha256 after a check that the two match.

    Raises CheckpointError.
    """
    card = _read_card(Path(folder))
    return {**card, "sha256": _check_hash(weights_path(Path(folder), card), card)}


def checked_config(folder: str | Path) -> ModelConfig:
    """Return the sizes on a model folder's card after a check that its weights match the card. The
    weights are not read into memory. Raises CheckpointError."""
    return config_on_card(Path(folder), checked_card(folder))


def variant_on_card(folder: str | Path) -> str:
    """Return the variant that a model folder's card states, or nothing if the card states none.
    Raises CheckpointError."""
    return str(_read_card(Path(folder)).get(VARIANT) or "")


def weights_path(folder: Path, card: dict) -> Path:
    """Return the file of a model folder's weights, which its card names. Raises CheckpointError."""
    name = card.get("weights_file", WEIGHTS)
    if name not in EXPORTED_WEIGHTS:
        raise CheckpointError(
            f"the card's weights_file must be one of {', '.join(EXPORTED_WEIGHTS)}, "
            f"got {str(name)[:60]!r}"
        )
    return folder / name


def _check_hash(weights: Path, card: dict) -> str:
    """Return the sha256 of the weights' file; if the card states one, the two must be equal."""
    check_weights_file(weights)
    try:
        found = sha256_of(weights)
    except OSError as error:
        problem = shown(error)
        raise CheckpointError(f"the weights {str(weights)!r} cannot be read: {problem}") from None
    if "sha256" in card and found != card["sha256"]:
        raise CheckpointError(
            f"the weights {str(weights)!r} are damaged or not those of the card: "
            f"their sha256 must be {card['sha256']!s:.12}…, got {found:.12}…"
        )
    return found


def _read_card(folder: Path) -> dict:
    path = folder / CARD
    try:
        if fault := why_unreadable(path, LARGEST_CARD):
            raise ValueError(fault)
        card = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise without_card(folder) from None
    except RecursionError:
        raise CheckpointError(
            f"the card {str(path)!r} cannot be read: it is nested too deep"
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the card {str(path)!r} cannot be read: {shown(error)}") from None
    if not isinstance(card, dict) or not isinstance(card.get("architecture"), dict):
        raise CheckpointError(f"the card {str(path)!r} must be an object with an 'architecture'")
    return card


def config_on_card(folder: Path, card: dict) -> ModelConfig:
    """Return the sizes that a model folder's card states. Raises CheckpointError."""
    sizes = {key: value for key, value in card["architecture"].items() if key != "class"}
    names = [field.name for field in fields(ModelConfig)]
    try:
        if not set(names[:-1]) <= sizes.keys() <= set(names):
            got = shown(", ".join(map(str, sizes)) or "none")
            raise ValueError(f"its architecture must have the sizes {', '.join(names)}; got {got}")
        for name, size in sizes.items():
            if not is_number(size):
                raise ValueError(f"{name} must be a number, got {shown(size)!r}")
        return ModelConfig(**sizes)
    except (ValueError, SettingError) as error:
        path = str(folder / CARD)
        raise CheckpointError(f"the card {path!r} gives no usable model: {error}") from None


def _build(weights: Weights, card: dict) -> LSTMModel:
    """Build the model from checked weights; the card names the engine if the weights cannot."""
    # Drawing weights that are replaced at once must not disturb anyone's random numbers. (The meta
    # device draws none, but its first use loads a compiler, which takes over a second.)
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(**asdict(weights.config)).requires_grad_(False)
    matrices = weights.read_into(model.state_dict())
    declared = str(card.get(VARIANT) or weights.variant)
    model.imported = imported_variant(matrices, declared, list(model.state_dict()))
    return model.eval()
