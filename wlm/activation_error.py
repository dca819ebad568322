"""How far a variant's activations are from fp32's, layer by layer, on the same words."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from wlm.inspect_model import part_names
from wlm.model import LSTMModel
from wlm.weight_error import sqnr_db

ACTIVATION_TOKENS = 100  # enough for a stable mean, and read in a second


@dataclass(frozen=True)
class LayerError:
    """A part's output against fp32's: cosine similarity, mean over words, and
    signal-to-quantization-noise ratio in decibels, over all words (infinite where equal)."""

    part: str
    cosine: float
    sqnr_db: float

    def to_json(self) -> dict:
        """Return it as plain JSON; an infinite ratio is null."""
        finite = math.isfinite(self.sqnr_db)
        return {**vars(self), "sqnr_db": self.sqnr_db if finite else None}


def activations(model: LSTMModel, ids: Tensor) -> dict[str, Tensor]:
    """Return the output of each part for word ids (N,), one word at a time from a zero state:
    embedding (N, E), each LSTM layer (N, H), decoder (N, V).

    A layer's output is its hidden state, which the model hands on in any precision.
    """
    outputs: dict[str, list[Tensor]] = {part: [] for part in part_names(model.config)}
    hidden = model.init_hidden(1)
    with torch.inference_mode():
        for id in ids:
            emb = model.encoder(id.view(1, 1))  # (1, 1, E)
            output, hidden = model.rnn(emb, hidden)  # (1, 1, H), (L, 1, H) twice
            steps = [emb[0, 0], *hidden[0][:, 0], model.decoder(output)[0, 0]]
            for part, each in zip(outputs, steps, strict=True):
                outputs[part].append(each)
    return {part: torch.stack(each) for part, each in outputs.items()}


def layer_errors(reference: dict[str, Tensor], other: dict[str, Tensor]) -> list[LayerError]:
    """Return the error of each part's activations, both as `activations` gives them."""
    return [
        LayerError(
            part, _cosine(reference[part], other[part]), sqnr_db(reference[part], other[part])
        )
        for part in reference
    ]


def _cosine(reference: Tensor, other: Tensor) -> float:
    return float(F.cosine_similarity(reference.double(), other.double(), dim=1).mean())
