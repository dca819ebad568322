"""A model cut into its modules, so that the clock can be read between them."""

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from wlm.model.lstm import Hidden, LSTMModel


class Modules(Protocol):
    """A model's modules, called one after the other; what they hand on is the runtime's own."""

    def embedding(self, input: Tensor):
        """Look up word ids (T, B)."""

    def lstm(self, embedded, hidden: Hidden) -> tuple:
        """Return the last layer's output and the next hidden state."""

    def decoder(self, output):
        """Return the logits."""

    def loss(self, logits, targets: Tensor) -> float:
        """Return the mean negative log-likelihood of targets (T * B), in nats."""


class PyTorchModules:
    """The modules of a PyTorch model."""

    def __init__(self, module: LSTMModel):
        self.embedding, self.lstm, self.decoder = module.encoder, module.rnn, module.decoder

    def loss(self, logits: Tensor, targets: Tensor) -> float:
        """Return the mean negative log-likelihood of targets (T * B), in nats."""
        return F.cross_entropy(logits.view(len(targets), -1), targets).item()
