"""A model or a text opened by its name or its path."""

from pathlib import Path

import torch

from wlm import tutorial
from wlm.catalog.registry import DEFAULT_MODEL, find_model, find_text, random_hidden
from wlm.model.lstm import LSTMModel
from wlm.text.corpus import Text, read_text
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import VOCABULARY, WEIGHTS, Checkpoint, load_checkpoint
from wlm.weights.limited import load_limited

SEED = 1  # of random weights


def open_model(
    model: str = DEFAULT_MODEL,
    vocabulary: str | Path | None = None,
    corpus: str | Path | None = None,
) -> Checkpoint:
    """Return the model meant by a name, a model folder or a weights file, which alone needs
    `vocabulary` or `corpus`; `random-256` is one of random weights, see `_random`.

    Raises SettingError, CheckpointError and TextError.
    """
    if hidden := random_hidden(model):
        return _random(model, hidden)
    path = find_model(model)
    # A folder's safetensors file is bounded by its header; other formats are read with limits.
    is_bounded = [weights.name for weights in path.glob("model.*")] == [WEIGHTS]
    load = load_checkpoint if is_bounded else load_limited
    return load(path, vocabulary=vocabulary, corpus=corpus)


def _random(name: str, hidden: int) -> Checkpoint:
    """Return the tutorial's model with another hidden size and always the same random weights.

    How long a multiplication takes does not depend on the numbers: the model is as fast and as
    large as a trained one of its sizes. Its loss means nothing. Its vocabulary is the bundled one.
    """
    vocabulary = Vocabulary.from_file(find_model(DEFAULT_MODEL) / VOCABULARY)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        sizes = {**tutorial.ARCHITECTURE, "ntoken": len(vocabulary), "nhid": hidden}
        model = LSTMModel(**sizes).requires_grad_(False).eval()
    return Checkpoint(name, model, vocabulary, {"note": "random weights"})


def open_text(name: str, vocabulary: Vocabulary) -> Text:
    """Return the text meant by a name, a file, or a folder with a test.txt, as a model reads it.

    Raises TextError.
    """
    name, path = find_text(name)
    return read_text(path, vocabulary, name)
