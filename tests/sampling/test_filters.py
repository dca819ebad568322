"""Filters of words, on four whose probabilities are known by hand."""

import pytest
import torch
from torch import tensor

from wlm.errors import SettingError
from wlm.sampling.filters import ban_filter, temperature_filter, top_k_filter, top_p_filter
from wlm.sampling.words import SampleSettings
from wlm.text.vocabulary import Vocabulary


def probabilities(keep, *before):
    """What a filter makes of a distribution, whatever its probabilities sum to."""
    return keep(tensor(before, dtype=torch.float64).log()).softmax(0).float()


def assert_probabilities(actual, expected):
    torch.testing.assert_close(actual, tensor(expected), atol=1e-6, rtol=0)
    # Not merely small: a word that is left out can never be drawn.
    assert ((actual == 0) == (tensor(expected) == 0)).all()


@pytest.mark.parametrize(
    ("temperature", "before", "expected"),
    [
        (1.0, [4, 3, 2, 1], [0.4, 0.3, 0.2, 0.1]),
        (0.5, [4, 3, 2, 1], [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
        (2.0, [16, 9, 4, 1], [0.4, 0.3, 0.2, 0.1]),
        (10.0, [1, 1, 2**10, 1], [0.2, 0.2, 0.4, 0.2]),
        (0.01, [1, 2 ** (1 / 100), 1, 1], [0.2, 0.4, 0.2, 0.2]),
    ],
)
def test_a_temperature_raises_probabilities_to_its_inverse(temperature, before, expected):
    assert_probabilities(probabilities(temperature_filter(temperature), *before), expected)


DIFFERENT, TIED = (0.2, 0.4, 0.3, 0.1), (0.2, 0.4, 0.2, 0.1)


@pytest.mark.parametrize(
    ("k", "before", "expected"),
    [
        (1, DIFFERENT, [0.0, 1.0, 0.0, 0.0]),
        (2, DIFFERENT, [0.0, 4 / 7, 3 / 7, 0.0]),
        (3, DIFFERENT, [2 / 9, 4 / 9, 3 / 9, 0.0]),
        (4, DIFFERENT, [0.2, 0.4, 0.3, 0.1]),
        (5, DIFFERENT, [0.2, 0.4, 0.3, 0.1]),
        (1_000_000, DIFFERENT, [0.2, 0.4, 0.3, 0.1]),
        (1, TIED, [0.0, 1.0, 0.0, 0.0]),
        (2, TIED, [0.25, 0.5, 0.25, 0.0]),  # the first and third word tie for the second place
        (3, TIED, [0.25, 0.5, 0.25, 0.0]),
    ],
)
def test_top_k_keeps_the_k_likeliest_words_and_those_that_tie_with_the_last(k, before, expected):
    assert_probabilities(probabilities(top_k_filter(k), *before), expected)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.001, [0.0, 1.0, 0.0, 0.0]),
        (0.39, [0.0, 1.0, 0.0, 0.0]),
        (0.41, [0.0, 4 / 7, 3 / 7, 0.0]),
        (0.69, [0.0, 4 / 7, 3 / 7, 0.0]),
        (0.71, [2 / 9, 4 / 9, 3 / 9, 0.0]),
        (0.91, [0.2, 0.4, 0.3, 0.1]),
        (1.0, [0.2, 0.4, 0.3, 0.1]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(p, expected):
    assert_probabilities(probabilities(top_p_filter(p), *DIFFERENT), expected)


@pytest.mark.parametrize(("p", "kept"), [(0.25, 1), (0.26, 2), (0.5, 2), (0.51, 3), (0.75, 3)])
def test_top_p_takes_no_word_more_where_the_sum_is_p_exactly(p, kept):
    # Four equal words: their probabilities and sums are exact in binary.
    assert int((top_p_filter(p)(torch.zeros(4)).softmax(0) > 0).sum()) == kept


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], [0.2, 0.4, 0.3, 0.1]),
        ([1], [2 / 6, 0.0, 3 / 6, 1 / 6]),
        ([0, 3], [0.0, 4 / 7, 3 / 7, 0.0]),
    ],
)
def test_a_banned_word_has_probability_0(ids, expected):
    assert_probabilities(probabilities(ban_filter(ids), *DIFFERENT), expected)


@pytest.mark.parametrize(
    "keep", [temperature_filter(0.5), top_k_filter(2), top_p_filter(0.5), ban_filter([0])]
)
def test_a_filter_leaves_the_logits_it_is_given_alone(keep):
    logits = tensor([0.2, 0.4, 0.3, 0.1])
    keep(logits)
    assert torch.equal(logits, tensor([0.2, 0.4, 0.3, 0.1]))


def test_filters_apply_to_what_the_ones_before_them_left():
    # Without the banned word the others have 4/8, 3/8, 1/8 and at temperature 0.5 16/26 (0.62),
    # 9/26 (together 0.96) and 1/26.
    words = Vocabulary(["the", "<unk>", "river", "a"])
    expected = {
        0.6: [1.0, 0.0, 0.0, 0.0],  # at temperature 1 it would take two words to reach 0.6
        0.7: [16 / 25, 0.0, 9 / 25, 0.0],
        0.97: [16 / 26, 0.0, 9 / 26, 1 / 26],  # the banned word is not one of the three of top_k
    }
    for top_p, probabilities in expected.items():
        settings = SampleSettings(temperature=0.5, top_k=3, top_p=top_p, allow_unk=False)
        logits = tensor([0.4, 0.2, 0.3, 0.1]).log()
        for keep in settings.filters(words):
            logits = keep(logits)
        assert_probabilities(logits.softmax(0), probabilities)


@pytest.mark.parametrize("k", [0, 1_000_001])
def test_the_top_k_filter_itself_keeps_at_least_one_word(k):
    with pytest.raises(SettingError, match="top_k must be a whole number from 1 to 1,000,000"):
        top_k_filter(k)


@pytest.mark.parametrize("seed", range(10))
def test_filters_keep_a_distribution_one(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 50, generator=generator) * 4
    for top_k, top_p, temperature in ((0, 1.0, 0.01), (5, 1.0, 0.5), (0, 0.7, 2.0), (9, 0.4, 10.0)):
        settings = SampleSettings(temperature, top_k, top_p)
        kept = logits
        for filter in settings.filters(Vocabulary(["a", "b"])):
            kept = filter(kept)
        given = kept.softmax(-1)
        torch.testing.assert_close(given.sum(-1), torch.ones(2))
        assert torch.equal(given.argmax(-1), logits.argmax(-1))
        # A batch is filtered row by row.
        alone = logits[1]
        for filter in settings.filters(Vocabulary(["a", "b"])):
            alone = filter(alone)
        assert torch.equal(alone, kept[1])


@pytest.mark.parametrize("seed", range(20))
def test_top_p_keeps_the_smallest_sufficient_set(seed):
    generator = torch.Generator().manual_seed(seed)
    logits, p = torch.randn(50, generator=generator), 0.05 + 0.045 * seed
    before = logits.softmax(0).double()
    kept = top_p_filter(p)(logits).isfinite()
    assert before[kept].sum() >= p - 1e-6
    assert before[kept].sum() - before[kept].min() < p + 1e-6
    assert kept.all() or before[kept].min() >= before[~kept].max()
