"""Models and texts that visitors bring, checked before they are kept.

wlm does not keep the file: it writes the content in the project's own formats.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from wlm.catalog.registry import DEFAULT_MODEL, MODEL, TEXT, UPLOADED_TEXT, find_model
from wlm.errors import UploadError, called
from wlm.text.corpus import read_words
from wlm.text.splits import SPLITS, split_of
from wlm.text.vocabulary import EOS, NO_EOS, Vocabulary
from wlm.uploads.store import MEGABYTE, Upload, keep, reserve
from wlm.weights.checkpoint import VOCABULARY, save_checkpoint
from wlm.weights.file_kinds import SUFFIXES, refuse_part
from wlm.weights.limited import load_limited

MOST_WEIGHTS_MB = 120  # the tutorial's model has 109 in fp32
MOST_WORDS_MB = 12  # WikiText-2's train.txt has 10.3
MOST_TEXT_MB = 2
MOST_WEIGHTS = 32_000_000
ARCHIVE = ".zip"  # of a model folder: its vocabulary is in it
WEIGHTS_SUFFIXES = (*SUFFIXES, ARCHIVE)
WORDS_SUFFIXES = (".txt", ".json", ".tokens")
TEXT_SUFFIXES = (".txt", ".tokens")


class File(Protocol):
    """An uploaded file: a binary stream with a name and a size in bytes."""

    name: str
    size: int

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


def add_model(owner: str, weights: File, words: Sequence[File]) -> Upload:
    """Keep weights, as `read_weights` takes them, with their vocabulary: one file as
    `read_word_list` takes it, or a corpus, train.txt, valid.txt and test.txt. An archive of a
    model folder, as the command export writes it, has its own.

    Raises UploadError, or CheckpointError and TextError with the files called by their own names.
    """
    refuse_part(Path(weights.name).name, label_of(weights))
    suffix = _checked(weights, WEIGHTS_SUFFIXES, MOST_WEIGHTS_MB)
    for file in words:
        _checked(file, WORDS_SUFFIXES, MOST_WORDS_MB)
    splits = [split_of(file.name) for file in words]
    is_corpus = len(words) == len(SPLITS) and set(splits) == set(SPLITS)
    if len(words) != 1 and not is_corpus and (words or suffix != ARCHIVE):
        got = ", ".join(label_of(file) for file in words) or "none"
        raise UploadError(
            "the vocabulary must be one file, or the corpus train.txt, valid.txt, test.txt, "
            f"got {got}"
        )
    with reserve(owner, 2 * sum(file.size for file in (weights, *words))) as folder:
        path = folder / f"weights{suffix}"
        labels = {path: label_of(weights)}  # and last the folder that they are in
        _copy(weights, path)
        for file, split in zip(words, splits, strict=True):
            words_path = folder / (f"{split}.txt" if is_corpus else "vocabulary.txt")
            labels[words_path] = label_of(file)
            _copy(file, words_path)
        source = {"corpus": folder} if is_corpus else {"vocabulary": folder / "vocabulary.txt"}
        source = source if words else {}
        with called({**labels, folder: "this server's disk"}):
            loaded = load_limited(path, **source, most_weights=MOST_WEIGHTS)
            kept = folder / "kept"
            card = {"name": label_of(weights), "origin": "uploaded"}
            if loaded.weights_read:
                card["weights_read"] = loaded.weights_read
            save_checkpoint(kept, loaded.model, loaded.vocabulary, card, dtype=torch.float32)
        sizes = loaded.model.config
        facts = [f"{sizes.ntoken:,} words, {sizes.nlayers} LSTM layers of {sizes.nhid}"]
        if loaded.weights_read:
            facts.append(f"weights read: {loaded.weights_read}")
        if EOS not in loaded.vocabulary:
            facts.append(NO_EOS)
        return keep(kept, owner, MODEL, label_of(weights), ". ".join(facts))


def add_text(owner: str, text: File) -> Upload:
    """Keep a text (UTF-8). Raises UploadError, TextError."""
    _checked(text, TEXT_SUFFIXES, MOST_TEXT_MB)
    with reserve(owner, 2 * text.size) as folder:
        kept = folder / "kept"
        kept.mkdir()
        _copy(text, kept / UPLOADED_TEXT)
        with called({kept / UPLOADED_TEXT: label_of(text)}):
            words = read_words(kept / UPLOADED_TEXT)
        bundled = Vocabulary.from_file(find_model(DEFAULT_MODEL) / VOCABULARY)
        unknown = float(bundled.is_unknown(bundled.encode(words)).double().mean())
        number = sum(word != EOS for word in words)
        facts = f"{number:,} words, {unknown:.1%} of them unknown to {DEFAULT_MODEL}"
        return keep(kept, owner, TEXT, label_of(text), facts)


def label_of(file: File) -> str:
    """Return a file's name as it may be shown: letters, digits and a few signs, 60 at most."""
    return re.sub(r"[^\w .()-]+", "_", Path(file.name).name)[-60:].strip() or "unnamed"


def _checked(file: File, suffixes: Sequence[str], most_mb: int) -> str:
    """Return a file's suffix. Raises UploadError unless it and the size are allowed."""
    suffix = Path(file.name).suffix.lower()
    if suffix not in suffixes:
        raise UploadError(f"{label_of(file)!r} must be of the kind {', '.join(suffixes)}")
    if file.size > most_mb * MEGABYTE:
        raise UploadError(
            f"{label_of(file)!r} must be of at most {most_mb} MB, got {file.size / MEGABYTE:,.1f}"
        )
    return suffix


def _copy(file: File, path: Path) -> None:
    file.seek(0)
    with path.open("wb") as out:
        shutil.copyfileobj(file, out)
