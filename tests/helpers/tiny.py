"""The tiny model: its words, a line of its text, and its weights; and where processes find it."""

from pathlib import Path

import torch

from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import save_checkpoint

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


def save_named(folder: Path) -> dict[str, str]:
    """Save the tiny model, a short text and a long one. Return the environment variables with which
    a process finds them as `tiny`, `short` and `long`."""
    save_checkpoint(folder / "models" / "tiny", tiny_model(), Vocabulary(WORDS))
    (folder / "texts").mkdir()
    (folder / "texts" / "short.txt").write_text(LINE * 40, "utf-8")
    (folder / "texts" / "long.txt").write_text(LINE * 30_000, "utf-8")
    return {"WLM_MODELS": str(folder / "models"), "WLM_TEXTS": str(folder / "texts")}
