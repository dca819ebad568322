"""Divergence and the draw seen closely, against plain loops and by hand."""

import math

import pytest
import torch
from torch import tensor

from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant
from wlm.sampling.candidates import candidates
from wlm.sampling.divergence import (
    Reader,
    divergences,
    entropy,
    kl_divergence,
    next_word,
    probabilities,
)
from wlm.sampling.filters import temperature_filter
from wlm.sampling.words import SampleSettings, beginning, sample_words

INT8 = Variant(lstm="int8", linear="int8")


@pytest.fixture
def readers(model):
    return [Reader.of(model, Variant()), Reader.of(quantize(model, INT8), INT8)]


def test_entropy_by_hand():
    assert entropy(tensor([0.5, 0.5, 0.0, 0.0])) == pytest.approx(math.log(2))
    assert entropy(tensor([1.0, 0.0])) == 0.0
    assert math.exp(entropy(torch.full((20,), 0.05))) == pytest.approx(20)


def test_divergence_by_hand():
    p, q = tensor([[0.5, 0.5, 0.0]]).double(), tensor([[0.25, 0.5, 0.25]]).double()
    assert kl_divergence(p.log(), q.log()).tolist() == [pytest.approx(0.5 * math.log(2))]
    assert kl_divergence(p.log(), p.log()).tolist() == [0.0]
    assert kl_divergence(q.log(), p.log()).tolist() == [math.inf]


@pytest.mark.parametrize("prompt", [(), ("the", "old", "bridge")])
def test_divergences_are_those_of_a_plain_loop(model, vocabulary, readers, prompt):
    settings = SampleSettings(temperature=0.7, prompt=prompt, allow_unk=False, top_k=3)
    ids = [word.id for word in sample_words(model, vocabulary, settings, 60)]
    found = list(divergences(readers, vocabulary, settings, ids))
    assert len(found) == 60
    hidden, input = [model.init_hidden(1)] * 2, beginning(vocabulary, settings)[0]
    for divergence, id in zip(found, ids, strict=True):
        given = []
        for m, reader in enumerate(readers):
            logits, hidden[m] = reader.model(input, hidden[m])
            weights = (logits[-1, 0].double() / 0.7).exp()
            weights[vocabulary.ids["<unk>"]] = 0.0
            given.append((weights / weights.sum()).tolist())
        input = tensor([[id]])
        assert divergence.probabilities == pytest.approx([p[id] for p in given], rel=1e-4)
        p, q = given
        kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a)
        assert divergence.kl == pytest.approx((0.0, kl), abs=1e-6)
        assert kl > 0.0


@pytest.mark.parametrize("prompt", [(), tuple("the old bridge over the river was".split())])
def test_the_words_probability_is_the_one_it_was_drawn_with(vocabulary, readers, prompt):
    # Also of int8, whose numbers depend on how many words it is given at once.
    settings = SampleSettings(temperature=0.5, prompt=prompt)
    text = list(sample_words(readers[1].model, vocabulary, settings, 60))
    found = divergences(readers, vocabulary, settings, [sampled.id for sampled in text])
    for word, divergence in zip(text, found, strict=True):
        assert divergence.probabilities[1] == pytest.approx(word.probability, rel=1e-5)


def test_a_model_is_nowhere_away_from_itself(model, vocabulary):
    readers = [Reader(model, 25), Reader(model, 1)]
    for divergence in divergences(readers, vocabulary, SampleSettings(), list(range(20)) * 3):
        assert divergence.kl == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("scale", [1.0, 1e4, 1e20, 3e38])
def test_no_temperature_overflows(temperature, scale):
    for seed in range(20):
        logits = torch.rand(50, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        logits *= scale
        given = probabilities(logits, [temperature_filter(temperature)])
        assert given.isfinite().all()
        assert float(given.sum()) == pytest.approx(1.0)
        assert 0.0 <= entropy(given) <= math.log(50) + 1e-9
        assert given[logits.argmax()] == given.max()
        if scale >= 1e4:  # so far apart that the likeliest word has it all
            assert int(given.argmax()) == int(logits.argmax())


def test_temperature_changes_no_ranks_and_only_raises_entropy():
    for seed in range(20):
        logits = torch.randn(50, generator=torch.Generator().manual_seed(seed))
        order, last = logits.argsort(), -1.0
        for temperature in (0.1, 0.2, 0.5, 1.0, 1.5, 2.0):
            given = probabilities(logits, [temperature_filter(temperature)])
            assert (given[order].diff() >= 0).all()
            assert entropy(given) > last
            last = entropy(given)


def test_the_next_words_scores_are_the_models(model, vocabulary):
    settings = SampleSettings(prompt=("the", "old"))
    expected = model(tensor([[2], [18], [8]]), model.init_hidden(1))[0][-1, 0]
    torch.testing.assert_close(next_word(Reader(model, 2), vocabulary, settings, [8]), expected)


@pytest.mark.parametrize("i", [0, 1])
@pytest.mark.parametrize("prompt", [(), tuple("the old bridge over the river was".split())])
def test_who_arrives_first_is_who_was_written(vocabulary, readers, i, prompt):
    settings = SampleSettings(temperature=1.3, top_p=0.95, draw="race", seed=3, prompt=prompt)
    text = [word.id for word in sample_words(readers[i].model, vocabulary, settings, 30)]
    for place in (0, 1, 17, 29):
        found = candidates(readers, vocabulary, settings, text[:place], count=5)
        first = min(found, key=lambda candidate: candidate.arrivals[i])
        assert vocabulary.ids[first.word] == text[place]
        assert len(found) >= 5
        means = [sum(candidate.probabilities) for candidate in found[:5]]
        assert means == sorted(means, reverse=True)
        for candidate in found:
            for p, arrival in zip(candidate.probabilities, candidate.arrivals, strict=True):
                assert arrival == pytest.approx(-math.log(candidate.number) / p if p else math.inf)


def test_a_word_is_a_candidate_only_once_and_never_more_than_there_are(vocabulary, readers):
    found = candidates(readers, vocabulary, SampleSettings(draw="race"), [], count=1_000)
    assert sorted(candidate.word for candidate in found) == sorted(vocabulary.words)
