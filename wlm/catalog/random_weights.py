"""Models of random weights, to see how speed and size depend on the hidden size.

How long a multiplication takes does not depend on the numbers: such a model is as fast and as
large as a trained one of its sizes. Its loss means nothing.
"""

import torch

from wlm import tutorial
from wlm.catalog.registry import DEFAULT_MODEL, check_hidden, find_model, random_name
from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import VOCABULARY, Checkpoint

SEED = 1


def random_checkpoint(hidden: int) -> Checkpoint:
    """Return the tutorial's model with another hidden size and always the same random weights.

    Its vocabulary is the bundled one. Raises SettingError and TextError.
    """
    check_hidden(hidden)
    vocabulary = Vocabulary.from_file(find_model(DEFAULT_MODEL) / VOCABULARY)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        sizes = {**tutorial.ARCHITECTURE, "ntoken": len(vocabulary), "nhid": hidden}
        model = LSTMModel(**sizes)
    model = model.requires_grad_(False).eval()
    return Checkpoint(random_name(hidden), model, vocabulary, {"note": "random weights"})
