"""The tutorial's own weights: downloaded, checked, and saved as a model folder."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import torch

from wlm import tutorial
from wlm.catalog.download import Meter, Source, without_password
from wlm.catalog.wikitext2 import TUTORIAL_ASSETS
from wlm.errors import CheckpointError, FetchError, called
from wlm.files import sha256_of, write_whole
from wlm.model.lstm import ModelConfig
from wlm.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from wlm.weights.read import read_weights

TUTORIAL_WEIGHTS, WEIGHTS_FILE = "tutorial-weights", "word_language_model_quantize.pth"
MOST_FILE_FORMAT = 1_000_000  # bytes of the file besides the numbers
CONFIG = ModelConfig(**tutorial.ARCHITECTURE)


def weights_bytes() -> int:
    """Return the bytes of the tutorial's weights in fp32."""
    return 4 * sum(map(math.prod, CONFIG.shapes().values()))


def get_tutorial_weights(source: Source, folder: Path, corpus: Path, record: Path) -> None:
    """Download the state_dict, check it, and save it as a new model folder, with the vocabulary of
    WikiText-2 in `corpus`.

    The file `record` has the hash of the first download, which the next ones must have, too. Raises
    FetchError.
    """
    path, least = folder.with_name(WEIGHTS_FILE), weights_bytes()
    meter = Meter("the tutorial's weights", least, source.report)
    source.download(TUTORIAL_ASSETS, path, least + MOST_FILE_FORMAT, meter)
    if (size := path.stat().st_size) < least:
        raise FetchError(
            f"{WEIGHTS_FILE} must have at least {least:,} bytes, the model's numbers in "
            f"fp32, got {size:,}"
        )
    sha256 = sha256_of(path)
    first_fetches = _compared(record, sha256)
    try:
        with called({path: WEIGHTS_FILE}):
            found = _checked(path, corpus)
            card = _card(source.origin, sha256, len(found.vocabulary))
            # The published weights are fp32: nothing is lost.
            save_checkpoint(folder, found.model, found.vocabulary, card, dtype=torch.float32)
    except CheckpointError as error:
        raise FetchError(str(error)) from None
    write_whole(record, lambda path: path.write_text(json.dumps(first_fetches, indent=2), "utf-8"))


def _compared(path: Path, sha256: str) -> dict:
    """Return the record of first downloads with this one added. Raises FetchError if the
    first download had another hash."""
    try:
        record = json.loads(path.read_text("utf-8")) if path.exists() else {}
        first = record.get(WEIGHTS_FILE, {"sha256": sha256, "at": _today()})
        expected, when = first["sha256"], first["at"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FetchError(
            f"the record {str(path)!r} is damaged: remove it to trust the next"
        ) from None
    if sha256 != expected:
        raise FetchError(
            f"the sha256 of {WEIGHTS_FILE} must be {expected!s:.12}…, as it was on {when}, "
            f"got {sha256:.12}…: only if you trust the new file, remove {str(path)!r}"
        )
    return {**record, WEIGHTS_FILE: first}


def _checked(path: Path, corpus: Path) -> Checkpoint:
    """Load the weights. Raises FetchError unless they are a plain fp32 state_dict of the tutorial's
    model, as published."""
    checkpoint = load_checkpoint(path, corpus=corpus)
    if checkpoint.model.config != CONFIG:
        raise FetchError(f"the model must be {CONFIG}, got {checkpoint.model.config}")
    for key, stored in read_weights(path).tensors.items():
        if stored and stored.dtype != torch.float32:
            raise FetchError(f"{key} must be torch.float32, got {stored.dtype}")
    if words := checkpoint.weights_read:
        raise FetchError(f"{WEIGHTS_FILE} must be a plain state_dict, got one {words}")
    return checkpoint


def _card(origin: str | Path | None, sha256: str, words: int) -> dict:
    where = "a local folder" if isinstance(origin, Path) else origin or TUTORIAL_ASSETS
    return {
        "origin": f"fetched on {_today()} from {without_password(where)}, {WEIGHTS_FILE}",
        "origin_sha256": sha256,
        "trained_on": "WikiText-2 (Merity et al. 2016, CC BY-SA 3.0), by the tutorial's authors",
        "licence": "not stated by its publisher",
        "vocabulary": f"{words:,} words of train, valid and test, by first appearance",
        "test_loss": {
            "fp32": tutorial.PUBLISHED["fp32"].loss,
            "int8 LSTM + Linear": tutorial.PUBLISHED["int8"].loss,
        },
        "test_loss_source": "published by the tutorial",
    }


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
