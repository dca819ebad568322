"""Filters of the next word: pure functions on logits, applied one after another."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wlm.errors import check_range

Filter = Callable[[Tensor], Tensor]  # logits (…, V) to logits (…, V)


def temperature_filter(temperature: float) -> Filter:
    """Divide logits by a temperature of 0.01 to 10. Below 1, likely words become more likely.

    Raises SettingError.
    """
    check_range("temperature", temperature, 0.01, 10.0)
    # Relative to the highest logit, no finite logit overflows, even at a small temperature.
    return lambda logits: (logits - logits.amax(-1, keepdim=True)) / temperature


def top_k_filter(k: int) -> Filter:
    """Keep the k likeliest words, k at least 1; words as likely as the last of them stay too.

    Raises SettingError. Source: Fan et al. 2018, "Hierarchical Neural Story Generation".
    """
    check_range("top_k", k, 1, 1_000_000)

    def keep(logits: Tensor) -> Tensor:
        smallest = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
        return logits.masked_fill(logits < smallest, -math.inf)

    return keep


def top_p_filter(p: float) -> Filter:
    """Keep the smallest set of likeliest words whose probabilities sum to p, 0.001 to 1.

    Raises SettingError. Source: Holtzman et al. 2020, "The Curious Case of Neural Text
    Degeneration".
    """
    check_range("top_p", p, 0.001, 1.0)

    def keep(logits: Tensor) -> Tensor:
        probabilities, order = logits.softmax(-1).sort(descending=True)
        # A word stays while the words before it do not reach p: the first one always stays.
        before = probabilities.cumsum(-1) - probabilities
        dropped = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= p)
        return logits.masked_fill(dropped, -math.inf)

    return keep


def ban_filter(ids: Sequence[int]) -> Filter:
    """Give the words of these ids probability 0."""
    banned = torch.tensor(list(ids), dtype=torch.int64)
    return lambda logits: logits.index_fill(-1, banned, -math.inf)
