"""Fewer bits: weights rounded to a coarser grid, simulated in 32-bit floats."""

import copy

import torch
from torch import Tensor, nn

from wlm.errors import check_range
from wlm.explaining.integers import to_integers
from wlm.model.lstm import LSTMModel

MOST_BITS, FEWEST_BITS = 8, 2


def step_of(weights: Tensor, bits: int, by_row: bool) -> Tensor:
    """Return the step of a grid of 2^bits levels over weights (R, C), per row (R, 1) or (1, 1).

    With 8 bits, the step equals int8's. Raises SettingError.
    """
    check_range("bits", bits, FEWEST_BITS, MOST_BITS)
    largest = weights.abs().amax(1, keepdim=True)
    largest = largest if by_row else largest.amax(0, keepdim=True)
    step = largest / ((2**bits - 1) / 2)
    return torch.where(step == 0, 1.0, step)  # any step holds zeros


def rounded(weights: Tensor, bits: int, by_row: bool) -> Tensor:
    """Return weights as a grid of 2^bits levels holds them. Raises SettingError."""
    step = step_of(weights, bits, by_row)
    return to_integers(weights, step, bits) * step


def level_counts(weights: Tensor, bits: int, by_row: bool) -> list[int]:
    """Return the number of weights on each of the 2^bits levels, the lowest first. Raises
    SettingError."""
    levels = to_integers(weights, step_of(weights, bits, by_row), bits).long() + 2 ** (bits - 1)
    return levels.flatten().bincount(minlength=2**bits).tolist()


def rounded_model(model: LSTMModel, bits: int, by_row: bool) -> LSTMModel:
    """Return a model whose LSTM and Linear weights are rounded to `bits` bits; embedding and biases
    are shared. The model computes in fp32: inputs are not rounded. Raises SettingError."""
    config, weights = model.config, model.state_dict()
    for name, values in weights.items():
        if values.dim() == 2 and not name.startswith("encoder."):
            weights[name] = rounded(values, bits, by_row)
    with torch.random.fork_rng(devices=[]):  # the random weights are replaced at once
        rnn = nn.LSTM(config.ninp, config.nhid, config.nlayers)
    part = "rnn."
    rnn.load_state_dict({k.removeprefix(part): v for k, v in weights.items() if part in k})
    made = copy.copy(model)
    made._modules = dict(model._modules)
    made.rnn, made.decoder = rnn, copy.copy(model.decoder)
    made.decoder._parameters = {
        name: nn.Parameter(weights[f"decoder.{name}"], requires_grad=False)
        for name in ("weight", "bias")
    }
    return made.requires_grad_(False).eval()
