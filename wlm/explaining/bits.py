"""Fewer bits: weights rounded to a coarser grid, simulated in 32-bit floats."""

import copy

import torch
from torch import Tensor

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
    """Return a model whose LSTM and Linear weights are rounded to `bits` bits; the embedding is
    shared. The model computes in fp32: inputs are not rounded. Raises SettingError."""
    made = copy.deepcopy(model, {id(model.encoder): model.encoder}).requires_grad_(False)
    for values in (*made.rnn.parameters(), *made.decoder.parameters()):
        if values.dim() == 2:
            values.copy_(rounded(values, bits, by_row))
    return made.eval()
