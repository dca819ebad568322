"""Sampling: filters on four words by hand, and the tutorial's own draws word for word."""

import math

import pytest
import torch
import tutorial_code
from torch import tensor

from wlm.errors import SettingError, TextError
from wlm.sampling.words import (
    DRAWS,
    SampledWord,
    SampleSettings,
    ban_filter,
    draw_inverse_cdf,
    draw_race,
    first_difference,
    sample_words,
    temperature_filter,
    to_out_txt,
    top_k_filter,
    top_p_filter,
    until_article_ends,
)
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


def test_the_defaults_filter_nothing(vocabulary):
    assert SampleSettings().filters(vocabulary) == []
    no_words_to_ban = Vocabulary(["the", "river"])
    assert SampleSettings(allow_unk=False, allow_eos=False).filters(no_words_to_ban) == []


def test_not_all_words_can_be_banned():
    settings = SampleSettings(allow_unk=False, allow_eos=False)
    with pytest.raises(TextError, match="all words of the vocabulary are banned"):
        settings.filters(Vocabulary(["<unk>", "<eos>"]))


@pytest.fixture
def sample(model, vocabulary):
    """Draw words from the tiny model."""

    def sample(words, **settings):
        return list(sample_words(model, vocabulary, SampleSettings(**settings), words))

    return sample


def tutorials_words(model, vocabulary, seed, count, temperature=1.0):
    """What the tutorial draws after `torch.manual_seed(seed)`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return tutorial_code.generate(model, vocabulary.words, count, temperature)


@pytest.mark.parametrize(
    ("seed", "temperature"), [(0, 1.0), (1, 1.0), (1111, 1.0), (1, 0.5), (2, 2.0), (2**63 - 1, 1.0)]
)
def test_the_words_are_those_that_the_tutorial_draws(model, vocabulary, sample, seed, temperature):
    expected = tutorials_words(model, vocabulary, seed, 200, temperature)
    sampled = sample(200, seed=seed, temperature=temperature)
    assert [each.word for each in sampled] == expected
    assert [vocabulary.words[each.id] for each in sampled] == expected


def test_the_bundled_models_words_are_those_that_the_tutorial_draws(bundled):
    expected = tutorials_words(bundled.model, bundled.vocabulary, 1, 100)
    sampled = sample_words(bundled.model, bundled.vocabulary, SampleSettings(seed=1), 100)
    assert [each.word for each in sampled] == expected


def test_the_seed_alone_fixes_the_text(sample):
    first = [each.id for each in sample(50, seed=3)]
    torch.rand(1)
    assert [each.id for each in sample(50, seed=3)] == first
    assert [each.id for each in sample(50, seed=4)] != first


def test_a_longer_text_begins_with_the_shorter_one(sample):
    assert [each.id for each in sample(9)] == [each.id for each in sample(30)][:9]


@pytest.mark.parametrize("prompt", [(), ("the", "old")])
def test_the_global_random_state_is_left_alone(sample, prompt):
    before = torch.get_rng_state()
    sample(20, prompt=prompt)
    assert torch.equal(torch.get_rng_state(), before)


def test_inference_mode_does_not_hold_between_words(model, vocabulary):
    for _ in sample_words(model, vocabulary, SampleSettings(), 2):
        assert not torch.is_inference_mode_enabled()


def test_dropout_is_off_while_words_are_drawn(model, sample):
    expected = [each.id for each in sample(50)]
    model.train()
    assert [each.id for each in sample(50)] == expected


def test_banned_words_are_never_drawn(sample):
    assert {"<unk>", "<eos>"} <= {each.word for each in sample(400)}
    without_unk = {each.word for each in sample(400, allow_unk=False)}
    assert "<unk>" not in without_unk
    assert "<eos>" in without_unk
    without_eos = {each.word for each in sample(400, allow_eos=False)}
    assert "<eos>" not in without_eos
    assert "<unk>" in without_eos


def filtered_by_hand(logits, temperature, banned, k, p):
    """The four filters on plain numbers, sorted once: a dictionary from id to probability."""
    weights = {
        i: math.exp(logit / temperature)
        for i, logit in enumerate(logits.tolist())
        if i not in banned
    }
    likeliest = sorted(weights, key=weights.get, reverse=True)[:k]
    total, kept, reached = sum(weights[i] for i in likeliest), [], 0.0
    for i in likeliest:
        if reached < p:
            kept.append(i)
            reached += weights[i] / total
    return {i: weights[i] / sum(weights[j] for j in kept) for i in kept}


@pytest.mark.parametrize(
    ("settings", "by_hand"),
    [
        ({}, (1.0, (), 20, 1.0)),
        ({"temperature": 0.7}, (0.7, (), 20, 1.0)),
        ({"top_k": 3}, (1.0, (), 3, 1.0)),
        ({"top_p": 0.6}, (1.0, (), 20, 0.6)),
        ({"allow_unk": False, "allow_eos": False}, (1.0, (0, 1), 20, 1.0)),
        (
            {"temperature": 1.5, "top_k": 6, "top_p": 0.8, "allow_eos": False},
            (1.5, (0,), 6, 0.8),
        ),
    ],
)
def test_a_prompt_is_read_and_each_word_has_the_probability_it_was_drawn_with(
    model, sample, settings, by_hand
):
    prompt = ("the", "old", "lake", "was")
    sampled = sample(40, prompt=prompt, **settings)
    hidden = model.init_hidden(1)
    for id in (2, 18, 1, 15):  # "lake" is not in the vocabulary
        logits, hidden = model(tensor([[id]]), hidden)
    for each in sampled:
        expected = filtered_by_hand(logits[0, 0], *by_hand)
        assert each.probability == pytest.approx(expected[each.id], rel=1e-4)
        logits, hidden = model(tensor([[each.id]]), hidden)


def test_words_after_a_prompt_are_the_generators_first_draws(model, sample):
    generator = torch.Generator().manual_seed(11)
    hidden, input, expected = model.init_hidden(1), tensor([[7]]), []
    for _ in range(30):
        logits, hidden = model(input, hidden)
        weights = logits[-1, 0].exp()
        input = torch.multinomial(weights, 1, generator=generator).view(1, 1)
        expected.append(int(input))
    assert [each.id for each in sample(30, prompt=("river",), seed=11)] == expected


def test_a_prompt_that_the_vocabulary_cannot_hold_is_refused(model):
    words = Vocabulary(f"w{i}" for i in range(20))
    with pytest.raises(TextError, match="'river' is not in the vocabulary, nor is <unk>"):
        next(sample_words(model, words, SampleSettings(prompt=("w1", "river")), 1))


@pytest.mark.parametrize("scale", [1.0, 1_000.0])
def test_the_lowest_temperature_takes_the_likeliest_word(model, vocabulary, sample, scale):
    # Logits of thousands divided by 0.01 are far beyond what exp can hold.
    model.decoder.weight.mul_(scale)
    model.decoder.bias.mul_(scale)
    hidden, input, expected = model.init_hidden(1), tensor([[2]]), []
    for _ in range(30):
        logits, hidden = model(input, hidden)
        input = logits.argmax(2)
        expected.append(int(input))
    sampled = sample(30, prompt=("the",), temperature=0.01)
    assert [each.id for each in sampled] == expected
    assert all(0.5 < each.probability <= 1.0 for each in sampled)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, r"temperature must be a number from 0\.01 to 10\.0, got 0\.0"),
        ({"temperature": 10.1}, r"temperature must be a number from 0\.01 to 10\.0, got 10\.1"),
        ({"temperature": math.nan}, r"temperature must be .* from 0\.01 to 10\.0, got nan"),
        ({"temperature": "1"}, r"temperature must be a number from 0\.01 to 10\.0, got '1'"),
        ({"top_k": -1}, "top_k must be a whole number from 0 to 1,000,000, got -1"),
        ({"top_k": 1_000_001}, "top_k must be a whole number .*, got 1,000,001"),
        ({"top_k": 2.0}, r"top_k must be a whole number from 0 to 1,000,000, got 2\.0"),
        ({"top_p": 0.0}, r"top_p must be a number from 0\.001 to 1\.0, got 0\.0"),
        ({"top_p": 1.01}, r"top_p must be a number from 0\.001 to 1\.0, got 1\.01"),
        ({"seed": -1}, "seed must be a whole number from 0 to 9,223,372,036,854,775,807, got -1"),
        ({"seed": 2**63}, "seed must be .*, got 9,223,372,036,854,775,808"),
        ({"seed": 1.0}, r"seed must be a whole number .*, got 1\.0"),
        ({"draw": "dice"}, "draw must be one of multinomial, race, inverse-cdf, got 'dice'"),
        ({"prompt": ("the",) * 1_001}, "prompt's length in words .* 0 to 1,000, got 1,001"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        SampleSettings(**settings)


def test_settings_may_lie_at_their_bounds():
    SampleSettings(temperature=0.01, top_k=0, top_p=0.001, seed=0)
    SampleSettings(10, 1_000_000, 1, ("the",) * 1_000, 2**63 - 1)


@pytest.mark.parametrize("k", [0, 1_000_001])
def test_the_top_k_filter_itself_keeps_at_least_one_word(k):
    with pytest.raises(SettingError, match="top_k must be a whole number from 1 to 1,000,000"):
        top_k_filter(k)


@pytest.mark.parametrize("words", [0, -1, 10_001, 2.5])
def test_the_number_of_words_is_limited(sample, words):
    message = f"words must be a whole number from 1 to 10,000, got {words:,}"
    with pytest.raises(SettingError, match=message):
        sample(words)


@pytest.mark.parametrize(
    ("words", "others", "place"),
    [
        ("the old river", "the old river", None),
        ("the old river", "the new river", 1),
        ("a b", "c d", 0),
        ("the old", "the old river", None),
        ("the old river", "the old", None),
        ("", "the", None),
    ],
)
def test_the_first_word_that_differs_is_found(words, others, place):
    assert first_difference(words.split(), others.split()) == place


@pytest.mark.parametrize(
    ("count", "lines"), [(0, []), (1, [1]), (19, [19]), (20, [20]), (21, [20, 1]), (40, [20, 20])]
)
def test_out_txt_has_twenty_words_a_line(count, lines):
    words = [f"w{i}" for i in range(count)]
    text = to_out_txt(words)
    assert text.split() == words
    assert [len(line.split(" ")) for line in text.splitlines()] == lines
    assert text == "" or text.endswith(f"w{count - 1}\n")


def drawn(words: str, prompt: tuple[str, ...] = ()) -> str:
    stream = (SampledWord(word, 0, 1.0, 0.0) for word in words.split())
    return " ".join(each.word for each in until_article_ends(stream, prompt))


@pytest.mark.parametrize(
    ("words", "prompt", "kept"),
    [
        ("a b <eos> <eos> = River = <eos>", (), "a b <eos> <eos>"),
        ("a <eos> = = River = = <eos> b", (), "a <eos> = = River = = <eos> b"),
        ("a = b", (), "a = b"),  # not at the beginning of a line
        ("<eos> = River = <eos> a <eos> = Sea", (), "<eos> = River = <eos> a <eos>"),
        ("= Sea =", ("The", "river", "<eos>"), ""),
        ("= Sea =", ("The", "river"), "= Sea ="),
        ("a <eos> =", (), "a <eos> ="),
        ("", (), ""),
    ],
)
def test_an_article_ends_where_the_next_title_begins(words, prompt, kept):
    assert drawn(words, prompt) == kept


def test_a_text_can_stop_at_the_end_of_its_article(model, vocabulary, sample):
    whole = sample(3_000, seed=2)
    article = sample(3_000, seed=2, stop_at_article=True)
    assert 1 < len(article) < len(whole)
    assert [each.id for each in article] == [each.id for each in whole[: len(article)]]
    assert whole[len(article)].word == "=" and article[-1].word == "<eos>"


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
    parted = sum(draw_race(p, one) != draw_race(q, other) for _ in range(2_000))
    assert parted < 2_000 * 0.006  # at most twice their total variation, 0.001, and some chance


@pytest.mark.parametrize("draw", ["race", "inverse-cdf"])
def test_the_other_draws_too_fix_the_text_by_its_seed(sample, draw):
    first = [each.id for each in sample(50, seed=3, draw=draw, temperature=0.9)]
    assert [each.id for each in sample(50, seed=3, draw=draw, temperature=0.9)] == first
    assert [each.id for each in sample(50, seed=4, draw=draw, temperature=0.9)] != first
    assert [each.id for each in sample(50, seed=3, temperature=0.9)] != first


@pytest.mark.parametrize(("number", "id"), [(0.0, 1), (0.249, 1), (0.25, 3), (0.999, 3)])
def test_the_inverse_cdf_is_where_the_number_falls_and_never_a_banned_word(monkeypatch, number, id):
    # Sums 0, 0.25, 0.25, 1, 1: words 0, 2 and 4 cannot be found.
    monkeypatch.setattr(torch, "rand", lambda *_, **__: tensor([number], dtype=torch.float64))
    assert draw_inverse_cdf(tensor([0.0, 0.25, 0.0, 0.75, 0.0]), torch.Generator()) == id


@pytest.mark.parametrize("seed", range(10))
def test_filters_keep_a_distribution_one(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 50, generator=generator) * 4
    for top_k, top_p, temperature in ((0, 1.0, 0.01), (5, 1.0, 0.5), (0, 0.7, 2.0), (9, 0.4, 10.0)):
        settings = SampleSettings(temperature, top_k, top_p)
        kept = logits
        for each in settings.filters(Vocabulary(["a", "b"])):
            kept = each(kept)
        given = kept.softmax(-1)
        torch.testing.assert_close(given.sum(-1), torch.ones(2))
        assert torch.equal(given.argmax(-1), logits.argmax(-1))
        # A batch is filtered row by row.
        alone = logits[1]
        for each in settings.filters(Vocabulary(["a", "b"])):
            alone = each(alone)
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


def test_any_model_with_the_same_call_can_be_sampled(vocabulary):
    class Ring:
        """Not a PyTorch module: after word i comes word i + 1."""

        def init_hidden(self, batch_size):
            return None

        def __call__(self, input, hidden):
            logits = torch.full((*input.shape, 20), -1e9)
            return logits.scatter(2, ((input + 1) % 20)[..., None], 0.0), hidden

    settings = SampleSettings(prompt=("river",))
    words = [each.id for each in sample_words(Ring(), vocabulary, settings, 15)]
    assert words == [*range(8, 20), 0, 1, 2]
