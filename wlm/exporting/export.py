"""A variant written to a folder, a zip archive or a file, checked by running its load.py."""

import errno
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from wlm import __version__
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.errors import TextError, WLMError, shown
from wlm.exporting.formats import FILES, format_for, is_exact
from wlm.exporting.loaders import loader
from wlm.exporting.readme import licence, readme
from wlm.files import sha256_of, write_whole
from wlm.measuring.evaluate import DEFAULT_BPTT, evaluate
from wlm.model.parts import part_of_key
from wlm.paths import ASSETS
from wlm.quantization.prepare import PreparedModel, prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify, read_text
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import CARD, VOCABULARY, Checkpoint
from wlm.weights.integers import as_arrays

CHECK_TOKENS = 501
EXACT, NEARLY = 1e-5, 0.05  # nats: largest error of load.py; NEARLY if it uses fp32
ARCHIVE = ".zip"


@dataclass(frozen=True)
class Export:
    """An export as written: path, variant, format, bytes and sha256 of the weights' file, and the
    checked loss, with the number of tokens and the text."""

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
    """Write a variant of a model.

    `out` becomes a zip archive if it ends with .zip, a file of the weights alone if it ends as the
    format's file does, else a folder.

    The written load.py runs once and must print the variant's loss. `out` is written whole or not
    at all. Raises VariantError for a format that cannot hold the variant, WLMError if `out` exists
    or cannot be written.
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
    facts = {name: card[name] for name in ("variant", "label", "format", "size_bytes", "sha256")}
    checked = {name: card["check"][name] for name in ("loss", "tokens", "text")}
    return Export(str(out), **facts, **checked)


def _write(
    folder: Path, checkpoint: Checkpoint, prepared: PreparedModel, variant: Variant, format: str
) -> dict:
    """Write all files into a folder and return the card. Raises WLMError if load.py does not print
    the variant's loss."""
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
    _check_loader(folder, variant, loss, is_exact=is_exact(variant, format))
    return card


def write_weights(path: Path, prepared: PreparedModel, variant: Variant, format: str) -> None:
    """Write a variant's weights in a format that can hold it. Raises OSError."""
    try:
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
    except (RuntimeError, SafetensorError) as error:  # torch and safetensors: disk full
        raise OSError(errno.EIO, shown(error)) from None


def _arrays(prepared: PreparedModel, variant: Variant) -> dict[str, Tensor]:
    """Return all numbers as plain tensors; weights that PyTorch runs in fp16 are in fp16."""
    arrays = as_arrays(prepared.numbers())
    for key, value in arrays.items():
        if ".weight" in key and getattr(variant, part_of_key(key).name) == "fp16":
            arrays[key] = value.half()
    return arrays


def _check_loader(folder: Path, variant: Variant, loss: float, *, is_exact: bool) -> None:
    """Raise WLMError unless an export's load.py prints this loss."""
    done = _run_loader(folder)
    *_, printed = done.stdout.split() or [""]
    if done.returncode:
        # The last line of an error is the most informative.
        *_, problem = done.stderr.strip().split("\n")
        raise WLMError(f"the load.py of the export of {variant} fails: {problem[:200]}")
    if abs(float(printed) - loss) > (EXACT if is_exact else NEARLY):
        raise WLMError(
            f"the export of {variant} must have the loss {loss}, its load.py prints {printed}"
        )


def _run_loader(folder: Path) -> subprocess.CompletedProcess:
    # -P: no file next to load.py is imported.
    command = [sys.executable, "-P", "load.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _check_text(vocabulary: Vocabulary) -> tuple[str, Tensor]:
    """Return the name and the ids (N, 1) of the words that check an export."""
    try:
        text = read_text(ASSETS / "texts" / f"{DEFAULT_TEXT}.txt", vocabulary)
        return "the bundled text, from its beginning", batchify(text.ids[:CHECK_TOKENS], 1)
    except TextError:  # in another language, or without <unk>
        ids = torch.arange(CHECK_TOKENS) % len(vocabulary)
        return "the vocabulary, in its order", batchify(ids, 1)


def _versions() -> dict[str, str | None]:
    try:
        onnxruntime = version("onnxruntime")
    except PackageNotFoundError:
        onnxruntime = None
    return {"wlm": __version__, "torch": torch.__version__, "onnxruntime": onnxruntime}


def _move(folder: Path, out: Path) -> None:
    """Move a folder, an archive of it, or its file of weights to `out`."""
    if out.suffix in {Path(file).suffix for file in FILES.values()}:
        (weights,) = (folder / file for file in FILES.values() if (folder / file).exists())
        weights.replace(out)
    elif out.suffix == ARCHIVE:
        write_whole(out, lambda path: archive(folder, path))
    else:
        folder.rename(out)


def archive(folder: Path, path: Path) -> None:
    """Write a folder's files into a zip archive, as they are. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for member in sorted(folder.iterdir()):
            file.write(member, f"{path.stem}/{member.name}")
