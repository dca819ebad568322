"""Passes over a model with the clock read between its modules, so that caches are as in use."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from wlm.model.lstm import Hidden, LSTMModel
from wlm.quantization.prepare import PreparedModel, PyTorchModel
from wlm.text.corpus import get_batch


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


def modules_of(model: PreparedModel) -> Modules:
    """Return the modules of a variant, whichever runtime runs it."""
    if isinstance(model, PyTorchModel):
        return PyTorchModules(model.module)
    from wlm.quantization.onnx.modules import OnnxModules

    return OnnxModules(model)


def timed_passes(model: PreparedModel, data: Tensor, tokens: int) -> Iterator[list[float]]:
    """Yield the seconds of embedding, LSTM, decoder and loss for each pass over `tokens` words of
    batchified ids (N, 1), which are read again and again, the hidden state carried along."""
    modules = modules_of(model)
    while True:
        hidden = model.init_hidden(1)
        for i in range(0, len(data) - tokens, tokens):
            input, targets = get_batch(data, i, tokens)
            with torch.inference_mode():
                clock = [time.perf_counter()]
                embedded = modules.embedding(input)
                clock.append(time.perf_counter())
                output, hidden = modules.lstm(embedded, hidden)
                clock.append(time.perf_counter())
                logits = modules.decoder(output)
                clock.append(time.perf_counter())
                modules.loss(logits, targets)
                clock.append(time.perf_counter())
            yield [after - before for before, after in pairwise(clock)]
