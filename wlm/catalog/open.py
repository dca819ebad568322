"""A model or a text opened by its name or its path."""

from pathlib import Path

from wlm.catalog.random_weights import random_checkpoint
from wlm.catalog.registry import DEFAULT_MODEL, find_model, find_text, random_hidden
from wlm.text.corpus import Text, read_text
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import WEIGHTS, Checkpoint, load_checkpoint
from wlm.weights.limited import load_limited


def open_model(
    model: str = DEFAULT_MODEL,
    vocabulary: str | Path | None = None,
    corpus: str | Path | None = None,
) -> Checkpoint:
    """Return the model meant by a name, a model folder or a weights file, which alone needs
    `vocabulary` or `corpus`; `random-256` is one of random weights, see `random_checkpoint`.

    Raises SettingError, CheckpointError and TextError.
    """
    if hidden := random_hidden(model):
        return random_checkpoint(hidden)
    path = find_model(model)
    # A folder's safetensors file is bounded by its header; other formats are read with limits.
    is_bounded = [weights.name for weights in path.glob("model.*")] == [WEIGHTS]
    load = load_checkpoint if is_bounded else load_limited
    return load(path, vocabulary=vocabulary, corpus=corpus)


def open_text(name: str, vocabulary: Vocabulary) -> Text:
    """Return the text meant by a name, a file, or a folder with a test.txt, as a model reads it.

    Raises TextError.
    """
    name, path = find_text(name)
    return read_text(path, vocabulary, name)
