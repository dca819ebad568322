"""How far a variant's activations are from fp32's, layer by layer, on the same words."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from wlm.inspecting.weight_error import sqnr_db
from wlm.quantization.prepare import PreparedModel

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


def activations(model: PreparedModel, ids: Tensor) -> dict[str, Tensor]:
    """Return the output of each part for word ids (N,), one word at a time from a zero state:
    embedding (N, E), each LSTM layer (N, H), decoder (N, V).

    A layer's output is its hidden state, which every runtime hands on.
    """
    embedding, *others = model.config.parts()
    outputs: dict[str, list[Tensor]] = {part: [] for part in others}
    hidden = model.init_hidden(1)
    with torch.inference_mode():
        for id in ids:
            logits, hidden = model(id.view(1, 1), hidden)  # (1, 1, V), (L, 1, H) twice
            for part, output in zip(others, [*hidden[0][:, 0], logits[0, 0]], strict=True):
                outputs[part].append(output)
        # Through NumPy: ONNX Runtime 1.23 to 1.25 cannot hand its values on by DLPack.
        embedded = torch.from_numpy(model.modules().embedding(ids.view(-1, 1)).numpy())  # (N, 1, E)
    return {
        embedding: embedded[:, 0],
        **{part: torch.stack(values) for part, values in outputs.items()},
    }


def layer_errors(reference: dict[str, Tensor], other: dict[str, Tensor]) -> list[LayerError]:
    """Return the error of each part's activations, as `activations` gives them."""
    return [
        LayerError(
            part, _cosine(reference[part], other[part]), sqnr_db(reference[part], other[part])
        )
        for part in other
    ]


def _cosine(reference: Tensor, other: Tensor) -> float:
    return float(F.cosine_similarity(reference.double(), other.double(), dim=1).mean())
