"""Passes over a model with the clock read between its modules, so that caches are as in use."""

import time
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from wlm.quantization.prepare import PreparedModel
from wlm.text.corpus import get_batch


def timed_passes(model: PreparedModel, data: Tensor, tokens: int) -> Iterator[list[float]]:
    """Yield the seconds of embedding, LSTM, decoder and loss for each pass over `tokens` words of
    batchified ids (N, 1), which are read again and again, the hidden state carried along."""
    modules = model.modules()
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
