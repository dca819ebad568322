"""Sampling: the tutorial's own draws word for word, seeds, prompts and bounds."""

import math

import pytest
import torch
from torch import tensor

from helpers import tutorial_code
from wlm.errors import SettingError, TextError
from wlm.sampling.words import (
    SampledWord,
    SampleSettings,
    first_difference,
    sample_words,
    to_out_txt,
    until_article_ends,
)
from wlm.text.vocabulary import Vocabulary


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
    assert [word.word for word in sampled] == expected
    assert [vocabulary.words[word.id] for word in sampled] == expected


def test_the_bundled_models_words_are_those_that_the_tutorial_draws(bundled):
    expected = tutorials_words(bundled.model, bundled.vocabulary, 1, 100)
    sampled = sample_words(bundled.model, bundled.vocabulary, SampleSettings(seed=1), 100)
    assert [word.word for word in sampled] == expected


def test_the_seed_alone_fixes_the_text(sample):
    first = [word.id for word in sample(50, seed=3)]
    torch.rand(1)
    assert [word.id for word in sample(50, seed=3)] == first
    assert [word.id for word in sample(50, seed=4)] != first


def test_a_longer_text_begins_with_the_shorter_one(sample):
    assert [word.id for word in sample(9)] == [word.id for word in sample(30)][:9]


@pytest.mark.parametrize("prompt", [(), ("the", "old")])
def test_the_global_random_state_is_left_alone(sample, prompt):
    before = torch.get_rng_state()
    sample(20, prompt=prompt)
    assert torch.equal(torch.get_rng_state(), before)


def test_inference_mode_does_not_hold_between_words(model, vocabulary):
    for _ in sample_words(model, vocabulary, SampleSettings(), 2):
        assert not torch.is_inference_mode_enabled()


def test_dropout_is_off_while_words_are_drawn(model, sample):
    expected = [word.id for word in sample(50)]
    model.train()
    assert [word.id for word in sample(50)] == expected


def test_banned_words_are_never_drawn(sample):
    assert {"<unk>", "<eos>"} <= {word.word for word in sample(400)}
    without_unk = {word.word for word in sample(400, allow_unk=False)}
    assert "<unk>" not in without_unk
    assert "<eos>" in without_unk
    without_eos = {word.word for word in sample(400, allow_eos=False)}
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
    for word in sampled:
        expected = filtered_by_hand(logits[0, 0], *by_hand)
        assert word.probability == pytest.approx(expected[word.id], rel=1e-4)
        logits, hidden = model(tensor([[word.id]]), hidden)


def test_words_after_a_prompt_are_the_generators_first_draws(model, sample):
    generator = torch.Generator().manual_seed(11)
    hidden, input, expected = model.init_hidden(1), tensor([[7]]), []
    for _ in range(30):
        logits, hidden = model(input, hidden)
        weights = logits[-1, 0].exp()
        input = torch.multinomial(weights, 1, generator=generator).view(1, 1)
        expected.append(int(input))
    assert [word.id for word in sample(30, prompt=("river",), seed=11)] == expected


def test_a_prompt_that_the_vocabulary_cannot_hold_is_refused(model):
    words = Vocabulary(f"w{i}" for i in range(20))
    with pytest.raises(TextError, match="'river' is not in the vocabulary, which has no <unk>"):
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
    assert [word.id for word in sampled] == expected
    assert all(0.5 < word.probability <= 1.0 for word in sampled)


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
    return " ".join(word.word for word in until_article_ends(stream, prompt))


@pytest.mark.parametrize(
    ("words", "prompt", "kept"),
    [
        ("a b <eos> <eos> = River = <eos>", (), "a b <eos> <eos>"),
        ("a <eos> = = River = = <eos> b", (), "a <eos> = = River = = <eos> b"),
        ("a = b", (), "a = b"),  # not at the beginning of a line
        ("<eos> = River = <eos> a <eos> = Sea", (), "<eos> = River = <eos> a <eos>"),
        ("= Sea =", ("The", "river", "<eos>"), ""),
        ("= Sea =", ("The", "river"), "= Sea ="),
        ("= Sea = <eos> a <eos> = Sky =", ("=", "River", "=", "<eos>"), "= Sea = <eos> a <eos>"),
        ("a <eos> =", (), "a <eos> ="),
        ("", (), ""),
    ],
)
def test_an_article_ends_where_the_next_title_begins(words, prompt, kept):
    assert drawn(words, prompt) == kept


@pytest.mark.slow
def test_a_text_can_stop_at_the_end_of_its_article(model, vocabulary, sample):
    whole = sample(3_000, seed=2)
    article = sample(3_000, seed=2, stop_at_article=True)
    assert 1 < len(article) < len(whole)
    assert [word.id for word in article] == [word.id for word in whole[: len(article)]]
    assert whole[len(article)].word == "=" and article[-1].word == "<eos>"


@pytest.mark.parametrize("draw", ["race", "inverse-cdf"])
def test_the_other_draws_too_fix_the_text_by_its_seed(sample, draw):
    first = [word.id for word in sample(50, seed=3, draw=draw, temperature=0.9)]
    assert [word.id for word in sample(50, seed=3, draw=draw, temperature=0.9)] == first
    assert [word.id for word in sample(50, seed=4, draw=draw, temperature=0.9)] != first
    assert [word.id for word in sample(50, seed=3, temperature=0.9)] != first


def test_any_model_with_the_same_call_can_be_sampled(vocabulary):
    class Ring:
        """Not a PyTorch module: after word i comes word i + 1."""

        def init_hidden(self, batch_size):
            return None

        def __call__(self, input, hidden):
            logits = torch.full((*input.shape, 20), -1e9)
            return logits.scatter(2, ((input + 1) % 20)[..., None], 0.0), hidden

    settings = SampleSettings(prompt=("river",))
    words = [word.id for word in sample_words(Ring(), vocabulary, settings, 15)]
    assert words == [*range(8, 20), 0, 1, 2]
