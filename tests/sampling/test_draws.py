"""Ways of drawing a word: each as often as it is likely."""

import pytest
import torch
from torch import tensor

from wlm.sampling.draws import DRAWS, draw_first_arrival, draw_inverse_cdf


@pytest.mark.slow
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_each_draw_gives_a_word_as_often_as_it_is_likely(draw):
    expected = tensor([0.5, 0.25, 0.2, 0.05, 0.0])
    generator = torch.Generator().manual_seed(1)
    counts = torch.zeros(5)
    for _ in range(20_000):
        counts[draw(expected, generator)] += 1
    assert counts[4] == 0
    squares = ((counts - 20_000 * expected) ** 2)[:4] / (20_000 * expected[:4])
    assert float(squares.sum()) < 16.3  # chi-squared, 3 degrees of freedom: 1 in 1,000


def test_a_race_parts_two_models_no_more_than_they_differ(vocabulary):
    # A search of the cumulative sum would part them on nearly each draw: all words but the first
    # are moved by a thousandth, which is as much as each of them has.
    p = torch.full((1_000,), 0.999 / 999)
    p[0] = 0.001
    q = torch.full((1_000,), 0.998 / 999)
    q[0] = 0.002
    one, other = (torch.Generator().manual_seed(5) for _ in range(2))
    parted = sum(draw_first_arrival(p, one) != draw_first_arrival(q, other) for _ in range(2_000))
    assert parted < 2_000 * 0.006  # at most twice their total variation, 0.001, and some chance


@pytest.mark.parametrize(("number", "id"), [(0.0, 1), (0.249, 1), (0.25, 3), (0.999, 3)])
def test_the_inverse_cdf_is_where_the_number_falls_and_never_a_banned_word(monkeypatch, number, id):
    # Sums 0, 0.25, 0.25, 1, 1: words 0, 2 and 4 cannot be found.
    monkeypatch.setattr(torch, "rand", lambda *_, **__: tensor([number], dtype=torch.float64))
    assert draw_inverse_cdf(tensor([0.0, 0.25, 0.0, 0.75, 0.0]), torch.Generator()) == id
