"""A variant written to a folder, a zip archive or a file, checked by reading it back."""

import json
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor

from wlm import __version__
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.errors import TextError, WLMError
from wlm.exporting.formats import FILES, format_for
from wlm.exporting.loaders import loader
from wlm.exporting.readme import licence, readme
from wlm.exporting.weights import write_weights
from wlm.files import sha256_of, write_whole
from wlm.measuring.evaluate import DEFAULT_BPTT, evaluate
from wlm.model.checkpoint import CARD, VOCABULARY, Checkpoint, load_checkpoint
from wlm.paths import ASSETS
from wlm.quantization.prepare import PreparedModel, prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify, read_text
from wlm.text.vocabulary import Vocabulary

CHECK_TOKENS = 501
ARCHIVE = ".zip"


@dataclass(frozen=True)
class Export:
    """What was written: where, the variant, its format, bytes and sha256 of the weights' file, and
    the loss that it was checked to have, on how many tokens of which text."""

    path: str
    variant: str
    label: str
    format: str
    size_bytes: int
    sha256: str
    loss: float
    tokens: int
    text: str


def export(
    checkpoint: Checkpoint, variant: Variant, out: str | Path, format: str | None = None
) -> Export:
    """Write a variant of a model: to a folder, to a zip archive of one where `out` ends with .zip,
    or its weights alone where `out` ends as the format's file does.

    What is written is read back and must have the same loss; `out` is there whole or not at all.
    Raises VariantError for a format that cannot hold the variant, WLMError where `out` is there
    already or cannot be written.
    """
    out = Path(out)
    format = format_for(variant, out, format)
    if out.exists():
        raise WLMError(f"{str(out)!r} is there already: give another name")
    prepared = prepare(checkpoint.model, variant)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            card = _write(folder, checkpoint, prepared, variant, format)
            _move(folder, out)
    except OSError as error:
        raise WLMError(f"{str(out)!r} cannot be written: {error.strerror or error}") from None
    check = card["check"]
    return Export(
        path=str(out),
        variant=str(variant),
        label=variant.label,
        format=format,
        size_bytes=card["size_bytes"],
        sha256=card["sha256"],
        loss=check["loss"],
        tokens=check["tokens"],
        text=check["text"],
    )


def _write(
    folder: Path, checkpoint: Checkpoint, prepared: PreparedModel, variant: Variant, format: str
) -> dict:
    """Write all files into a folder and return the card. Raises WLMError where what is read back
    is another model."""
    weights, words, config = folder / FILES[format], checkpoint.vocabulary, prepared.config
    text, ids = _check_text(words)
    loss = evaluate(prepared, ids).loss
    write_weights(weights, prepared, variant, format)
    words.save(folder / VOCABULARY)
    card = {
        **checkpoint.card,
        "name": checkpoint.name,
        "architecture": {"class": "LSTMModel", **asdict(config)},
        "variant": str(variant),
        "label": variant.label,
        "format": format,
        "weights_file": weights.name,
        "size_bytes": weights.stat().st_size,
        "sha256": sha256_of(weights),
        "weights_sha256": checkpoint.sha256,
        "check": {"text": text, "tokens": len(ids), "bptt": DEFAULT_BPTT, "loss": loss},
        "made_with": _versions(),
    }
    card.pop("stored_dtype", None)
    for name, content in {
        CARD: json.dumps(card, indent=2),
        "check.txt": "\n".join(words.decode(ids.flatten())) + "\n",
        "load.py": loader(config, variant, format),
        "README.md": readme(config, variant, format, card),
        "LICENSE.txt": licence(format, card),
    }.items():
        (folder / name).write_text(content, "utf-8", newline="\n")
    back = evaluate(prepare(load_checkpoint(folder).model, variant), ids).loss
    if back != loss:
        raise WLMError(
            f"the export of {variant} must have the loss {loss}, read back it has {back}"
        )
    return card


def _check_text(vocabulary: Vocabulary) -> tuple[str, Tensor]:
    """The name and the ids (N, 1) of the words that an export is checked on."""
    try:
        text = read_text(ASSETS / "texts" / f"{DEFAULT_TEXT}.txt", vocabulary)
        return "the bundled text, from its beginning", batchify(text.ids[:CHECK_TOKENS], 1)
    except TextError:  # of another language, or without <unk>
        ids = torch.arange(CHECK_TOKENS) % len(vocabulary)
        return "the vocabulary, in its order", batchify(ids, 1)


def _versions() -> dict[str, str | None]:
    found = {"wlm": __version__, "torch": torch.__version__}
    try:
        found["onnxruntime"] = version("onnxruntime")
    except PackageNotFoundError:
        found["onnxruntime"] = None
    return found


def _move(folder: Path, out: Path) -> None:
    """Put a folder, an archive of it, or its file of weights where it was asked for."""
    if out.suffix in {Path(file).suffix for file in FILES.values()}:
        (weights,) = (folder / file for file in FILES.values() if (folder / file).exists())
        weights.replace(out)
    elif out.suffix == ARCHIVE:
        write_whole(out, lambda path: archive(folder, path))
    else:
        shutil.copystat(out.parent, folder)
        folder.rename(out)


def archive(folder: Path, path: Path) -> None:
    """Write a folder's files into a zip archive, as they are. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for each in sorted(folder.iterdir()):
            file.write(each, f"{path.stem}/{each.name}")
