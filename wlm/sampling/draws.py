"""Ways of drawing a word from probabilities."""

import torch
from torch import Tensor


def draw_multinomial(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,) as the tutorial draws it."""
    return int(torch.multinomial(probabilities, 1, generator=generator))


def draw_first_arrival(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,): the word that arrives first.

    Each word gets a number u, uniform between 0 and 1, and arrives at -ln(u) / p; the first one is
    word i with probability p_i. With the same numbers and nearly the same probabilities, models
    nearly always draw the same word. A search of the cumulative sum does not have this property: a
    small change of one probability moves all words after it. Source: the exponential race, such
    as in Maddison et al. 2014, "A* Sampling", which `torch.multinomial` uses too.
    """
    numbers = arrival_numbers(len(probabilities), generator)
    return int((probabilities / numbers.log_().neg_()).argmax())


def draw_inverse_cdf(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,): the first word whose cumulative sum exceeds one
    uniform number. This is the fastest way."""
    cumulative = probabilities.cumsum(0, dtype=torch.float64)
    number = torch.rand(1, generator=generator, dtype=torch.float64) * cumulative[-1]
    # A word of probability 0 adds nothing to the sum and is never drawn.
    return min(int(torch.searchsorted(cumulative, number, right=True)), len(cumulative) - 1)


def arrival_numbers(words: int, generator: torch.Generator) -> Tensor:
    """Return the uniform numbers (V,) of one draw by `draw_first_arrival`, float64."""
    return torch.rand(words, generator=generator, dtype=torch.float64)


DRAWS = {
    "multinomial": draw_multinomial,
    "race": draw_first_arrival,
    "inverse-cdf": draw_inverse_cdf,
}
