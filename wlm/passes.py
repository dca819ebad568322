"""Passes over a model with the clock read between its modules, so that caches are as in use."""

import time
from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from wlm.corpus import get_batch
from wlm.model import Hidden
from wlm.prepare import PreparedModel, PyTorchModel


def timed_passes(model: PreparedModel, data: Tensor, tokens: int) -> Iterator[list[float]]:
    """Yield the seconds of embedding, LSTM, decoder and loss for each pass over `tokens` words of
    batchified ids (N, 1), which are read again and again, the hidden state carried along.

    ONNX Runtime runs its graph as a whole: its seconds are one number, of all together.
    """
    timed = _timed_modules if isinstance(model, PyTorchModel) else _timed_whole
    while True:
        hidden = model.init_hidden(1)
        for i in range(0, len(data) - tokens, tokens):
            input, targets = get_batch(data, i, tokens)
            with torch.inference_mode():
                seconds, hidden = timed(model, input, hidden, targets)
            yield seconds


def _timed_modules(
    model: PyTorchModel, input: Tensor, hidden: Hidden, targets: Tensor
) -> tuple[list[float], Hidden]:
    module, clock = model.module, [time.perf_counter()]
    emb = module.encoder(input)  # (T, 1, E)
    clock.append(time.perf_counter())
    output, hidden = module.rnn(emb, hidden)  # (T, 1, H)
    clock.append(time.perf_counter())
    logits = module.decoder(output)  # (T, 1, V)
    clock.append(time.perf_counter())
    F.cross_entropy(logits.view(len(targets), -1), targets).item()
    clock.append(time.perf_counter())
    return [after - before for before, after in pairwise(clock)], hidden


def _timed_whole(
    model: PreparedModel, input: Tensor, hidden: Hidden, targets: Tensor
) -> tuple[list[float], Hidden]:
    start = time.perf_counter()
    _, hidden = model.nll(input, hidden, targets)
    return [time.perf_counter() - start], hidden
