"""The tutorial's LSTM word language model."""

import re
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wlm.errors import check_range
from wlm.model.parts import EMBEDDING, LINEAR, LSTM, part_of_key

Hidden = tuple[Tensor, Tensor]  # (L, B, H) twice: the hidden and the cell state


@dataclass(frozen=True)
class Imported:
    """The source of a model whose weights were loaded quantized: the variant's name, and its
    matrices of integers by their names in the fp32 state_dict."""

    variant: str
    matrices: dict[str, Tensor]


@dataclass(frozen=True)
class ModelConfig:
    """The sizes that fix an LSTMModel.

    ntoken: words in the vocabulary (V); ninp: embedding dimension (E); nhid: hidden units per
    LSTM layer (H); nlayers: LSTM layers (L); dropout: probability, active in training only.

    Raises SettingError if a size is out of range. Names as in the tutorial, section 1.
    """

    ntoken: int
    ninp: int
    nhid: int
    nlayers: int
    dropout: float = 0.5

    def __post_init__(self):
        check_range("ntoken", self.ntoken, 2, 1_000_000)
        check_range("ninp", self.ninp, 1, 8_192)
        check_range("nhid", self.nhid, 1, 8_192)
        check_range("nlayers", self.nlayers, 1, 32)
        check_range("dropout", self.dropout, 0.0, 1.0)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every entry of the model's state_dict, in order."""
        shapes = {"encoder.weight": (self.ntoken, self.ninp)}
        for layer in range(self.nlayers):
            inputs = self.ninp if layer == 0 else self.nhid
            shapes[f"rnn.weight_ih_l{layer}"] = (4 * self.nhid, inputs)
            shapes[f"rnn.weight_hh_l{layer}"] = (4 * self.nhid, self.nhid)
            shapes[f"rnn.bias_ih_l{layer}"] = (4 * self.nhid,)
            shapes[f"rnn.bias_hh_l{layer}"] = (4 * self.nhid,)
        shapes["decoder.weight"] = (self.ntoken, self.nhid)
        shapes["decoder.bias"] = (self.ntoken,)
        return shapes

    def parts(self) -> list[str]:
        """Return the names of the parts in the order of a pass: embedding, LSTM layers, decoder.

        Layers count from 0, as in the state_dict."""
        layers = [f"{LSTM.stage} {layer}" for layer in range(self.nlayers)]
        return [EMBEDDING.stage, *layers, LINEAR.stage]

    def zero_state(self, batch_size: int) -> Hidden:
        """Return the hidden state that a text starts from."""
        shape = (self.nlayers, batch_size, self.nhid)
        return torch.zeros(shape), torch.zeros(shape)


class LSTMModel(nn.Module):
    """Embedding, a stack of LSTM layers and a Linear decoder, with dropout between them.

    `model(input, hidden)` maps word ids (T, B) and a hidden state to logits (T, B, V) and the
    next hidden state. Source: the tutorial, section 1; parameter names are its own, so that its
    state_dict loads unchanged.

    `imported` is set if the weights were loaded quantized. The parameters are then the dequantized
    integers, and the model runs only as that variant.
    """

    imported: Imported | None = None

    def __init__(self, ntoken: int, ninp: int, nhid: int, nlayers: int, dropout: float = 0.5):
        super().__init__()
        self.config = ModelConfig(ntoken, ninp, nhid, nlayers, dropout)
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        # PyTorch warns of dropout on a single layer, which has no next layer to drop for.
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout if nlayers > 1 else 0.0)
        self.decoder = nn.Linear(nhid, ntoken)

    def forward(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        emb = self.drop(self.encoder(input))  # (T, B, E)
        output, hidden = self.rnn(emb, hidden)  # (T, B, H)
        return self.decoder(self.drop(output)), hidden  # (T, B, V)

    def nll(self, input: Tensor, hidden: Hidden, targets: Tensor) -> tuple[Tensor, Hidden]:
        """Return the negative log-likelihood of the targets (T * B), in nats, and the next hidden
        state. Source: the tutorial, section 4 (`evaluate`)."""
        output, hidden = self(input, hidden)  # (T, B, V)
        return F.cross_entropy(output.view(len(targets), -1), targets, reduction="none"), hidden

    def init_hidden(self, batch_size: int) -> Hidden:
        """Return the zero state that a text starts from."""
        # Not "like the first parameter", as in the tutorial: a quantized copy may have none.
        return self.config.zero_state(batch_size)


def part_of(key: str) -> str:
    """Return the part that an entry of a state_dict belongs to, quantized or not."""
    part = part_of_key(key)
    if part is LSTM:
        # weight_ih_l0 in floats, _all_weight_values.0.param once quantized.
        return f"{part.stage} {re.search(r'(?:_l|_all_weight_values[.])([0-9]+)', key)[1]}"
    return part.stage
