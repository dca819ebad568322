"""Ways of drawing a word from probabilities."""

import torch
from torch import Tensor


def draw_multinomial(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,) as the tutorial draws it."""
    return int(torch.multinomial(probabilities, 1, generator=generator))


def draw_race(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,): the word that arrives first.

    Each word gets a number u, uniform between 0 and 1, and arrives at -ln(u) / p; the first one is
    word i with probability p_i. Models that get the same numbers and nearly the same probabilities
    nearly always draw the same word: a search of the cumulative sum would not give that, since
    there a small shift of many words moves all that come after. Source: the exponential race, such
    as in Maddison et al. 2014, "A* Sampling", which `torch.multinomial` uses too.
    """
    numbers = race_numbers(len(probabilities), generator)
    return int((probabilities / numbers.log_().neg_()).argmax())


def draw_inverse_cdf(probabilities: Tensor, generator: torch.Generator) -> int:
    """Return an id drawn from probabilities (V,): where one uniform number falls in their
    cumulative sum. The quickest of the three."""
    cumulative = probabilities.cumsum(0, dtype=torch.float64)
    number = torch.rand(1, generator=generator, dtype=torch.float64) * cumulative[-1]
    # The first sum above the number: a word of probability 0 adds nothing and is never found.
    return min(int(torch.searchsorted(cumulative, number, right=True)), len(cumulative) - 1)


def race_numbers(words: int, generator: torch.Generator) -> Tensor:
    """Return the uniform numbers (V,) of one draw by `draw_race`, float64."""
    return torch.rand(words, generator=generator, dtype=torch.float64)


DRAWS = {
    "multinomial": draw_multinomial,
    "race": draw_race,
    "inverse-cdf": draw_inverse_cdf,
}
