"""Models of random weights, to see how speed and size depend on the hidden size.

How long a multiplication takes does not depend on the numbers: such a model is as fast and as
large as a trained one of its sizes. Its loss means nothing.
"""

import torch

from wlm.catalog.names import DEFAULT_MODEL, find_model
from wlm.errors import SettingError, check_range
from wlm.model.checkpoint import VOCABULARY, Checkpoint
from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary

PREFIX = "random-"
EMBEDDING, LAYERS = 512, 5  # the tutorial's
MOST_HIDDEN = 1024  # 366 MB in fp32
SEED = 1


def random_name(hidden: int) -> str:
    """Return the name of the model of random weights with that hidden size."""
    return f"{PREFIX}{hidden}"


def random_hidden(name: str) -> int | None:
    """Return the hidden size that a name such as `random-256` asks for; None for other names.

    Raises SettingError where it is out of range.
    """
    if not name.startswith(PREFIX):
        return None
    size = name.removeprefix(PREFIX)
    if not (size.isascii() and size.isdecimal() and len(size) < 10):
        raise SettingError(f"a model of random weights is written {PREFIX}256, got {name[:80]!r}")
    check_range("the hidden size of random weights", int(size), 1, MOST_HIDDEN)
    return int(size)


def random_checkpoint(hidden: int) -> Checkpoint:
    """Return the tutorial's model with another hidden size and always the same random weights.

    Its vocabulary is the bundled one. Raises SettingError and TextError.
    """
    check_range("the hidden size of random weights", hidden, 1, MOST_HIDDEN)
    vocabulary = Vocabulary.from_file(find_model(DEFAULT_MODEL) / VOCABULARY)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = LSTMModel(len(vocabulary), EMBEDDING, hidden, LAYERS)
    model = model.requires_grad_(False).eval()
    return Checkpoint(random_name(hidden), model, vocabulary, {"note": "random weights"})
