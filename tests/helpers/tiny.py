"""The tiny model: its words, a line of its text, and its weights."""

import torch

from wlm.model.lstm import LSTMModel

WORDS = (
    "<eos> <unk> the a of and in river bridge stone = , . @-@ @,@ was built over old town".split()
)
LINE = " the old bridge over the river was built of stone , in the town . \n"


def tiny_model() -> LSTMModel:
    """Two LSTM layers, 20 words, weights that are large enough to tell words apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = LSTMModel(len(WORDS), 8, 6, 2)
        for parameter in model.parameters():
            torch.nn.init.uniform_(parameter, -1.0, 1.0)
    return model.requires_grad_(False).eval()
