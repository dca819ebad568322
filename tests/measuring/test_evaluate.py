"""Loss over a text: the tutorial's, however it is cut, and without side effects."""

import math
from contextlib import closing

import pytest
import torch

from helpers import tutorial_code
from wlm.errors import SettingError
from wlm.measuring.evaluate import Block, Evaluation, evaluate, evaluate_blocks, thread_count
from wlm.measuring.machine import cpu_count
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import OFFERED, Variant
from wlm.text.corpus import batchify, get_batch, read_text

WORDS = torch.arange(97) * 7 % 20  # every word several times


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("bptt", [1, 7, 25])
@pytest.mark.parametrize("length", [97, 76, 8])
def test_the_loss_is_the_tutorials(model, batch_size, bptt, length):
    data = batchify(WORDS[:length], batch_size)
    expected = tutorial_code.evaluate(model, data, 20, bptt, batch_size)
    result = evaluate(model, data, bptt=bptt)
    assert result.loss == pytest.approx(expected, abs=1e-5)
    assert result.tokens == (length // batch_size - 1) * batch_size


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_the_bundled_models_loss_is_the_tutorials(bundled, wikitext2, variant):
    text = read_text(wikitext2 / "test.txt", bundled.vocabulary)
    data = batchify(text.first(1_000), 1)
    model = quantize(bundled.model, Variant.parse(variant))
    expected = tutorial_code.evaluate(model, data, len(bundled.vocabulary), 25, 1)
    assert evaluate(model, data).loss == pytest.approx(expected, abs=1e-5)
    # Guessing among all words costs 10.4 nats: the weights are those that were trained.
    assert expected < 6.0


def test_the_loss_of_fixed_probabilities_is_the_one_worked_out_by_hand(model):
    # Whatever is read, word 0 has probability 1/2, word 1 has 1/4, the 18 others 1/72 each.
    model.decoder.weight.zero_()
    model.decoder.bias.copy_(torch.tensor([1 / 2, 1 / 4] + [1 / 72] * 18).log())
    data = batchify(torch.tensor([5, 0, 1, 0, 9, 0, 1]), 1)  # predicted: 0 1 0 9 0 1
    result = evaluate(model, data, bptt=4)
    expected = (3 * math.log(2) + 2 * math.log(4) + math.log(72)) / 6
    assert result.loss == pytest.approx(expected, abs=1e-6)
    assert result.perplexity == pytest.approx((2**3 * 4**2 * 72) ** (1 / 6), abs=1e-4)


@pytest.mark.parametrize("chunks_per_block", [1, 2, 5, 13, 14, 100])
def test_blocks_of_any_length_add_up_to_the_same_loss(model, chunks_per_block):
    data = batchify(WORDS, 1)
    blocks = list(evaluate_blocks(model, data, bptt=7, chunks_per_block=chunks_per_block))
    tokens = [7] * 13 + [5]  # the last of 14 chunks is ragged
    expected = [
        sum(tokens[i : i + chunks_per_block]) for i in range(0, len(tokens), chunks_per_block)
    ]
    assert [block.tokens for block in blocks] == expected
    whole = tutorial_code.evaluate(model, data, 20, 7, 1)
    assert sum(block.nll for block in blocks) == pytest.approx(96 * whole, abs=1e-4)
    assert Evaluation.of(blocks).loss == pytest.approx(whole, abs=1e-6)


def test_the_loss_of_a_block_is_the_one_of_its_own_words(model):
    data = batchify(WORDS[:22], 1)
    blocks = list(evaluate_blocks(model, data, bptt=7, chunks_per_block=1))
    hidden = model.init_hidden(1)
    for i, block in zip((0, 7, 14), blocks, strict=True):
        words, targets = get_batch(data, i, 7)
        logits, hidden = model(words, hidden)
        likelihoods = logits.view(-1, 20).log_softmax(1)[range(len(targets)), targets]
        assert block.nll == pytest.approx(-likelihoods.sum().item(), abs=1e-4)


@pytest.mark.parametrize("name", OFFERED)
def test_every_variant_is_evaluated_chunk_by_chunk_near_fp32(model, name):
    if why_unavailable(variant := Variant.parse(name)):
        pytest.skip(f"this machine cannot run {name}")
    for parameter in model.parameters():
        parameter *= 0.3  # as small as trained ones
    data = batchify(WORDS, 2)
    made = prepare(model, variant)
    result = evaluate(made, data, bptt=7)
    hidden, total = made.init_hidden(2), 0.0
    with torch.inference_mode():
        for i in range(0, len(data) - 1, 7):
            words, targets = get_batch(data, i, 7)
            logits, hidden = made(words, hidden)
            total -= logits.view(-1, 20).log_softmax(1)[range(len(targets)), targets].sum().item()
    assert result.tokens == 2 * 47
    assert result.loss == pytest.approx(total / result.tokens, abs=1e-5)
    assert result.loss == pytest.approx(evaluate(model, data, bptt=7).loss, abs=0.01)


@pytest.mark.parametrize("name", ["fp32", "int8", "onnxruntime:"])
@pytest.mark.skipif(cpu_count() < 2, reason="this machine has one CPU")
def test_a_model_prepared_for_other_threads_is_refused(model, name):
    made = prepare(model, Variant.parse(name), threads=2)
    with pytest.raises(SettingError, match="threads must be 2, as the model was prepared for, got"):
        evaluate(made, batchify(WORDS, 1))
    assert evaluate(made, batchify(WORDS, 1), threads=2).tokens == 96


def test_blocks_are_added_up():
    blocks = [Block(3, 6.0, 0.5, 0.75, None, 1, 1.0), Block(1, 4.0, 1.5, 1.25)]
    result = Evaluation.of(iter(blocks))
    assert result == Evaluation(tokens=4, loss=2.5, wall_s=2.0, cpu_s=2.0, loss_known=3.0)
    assert result.perplexity == pytest.approx(12.1825, abs=1e-4)
    assert result.tokens_per_s == 2.0


@pytest.mark.parametrize("name", ["fp32", "onnxruntime:"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_loss_over_unknown_words_is_told_apart(model, name, batch_size):
    """Word by word, by hand, over blocks that end within the text."""
    data = batchify(WORDS, batch_size)
    unknown = data == WORDS[5]
    blocks = evaluate_blocks(
        prepare(model, Variant.parse(name)), data, bptt=7, chunks_per_block=2, unknown=unknown
    )
    result = Evaluation.of(blocks)
    logits, _ = model(data[:-1], model.init_hidden(batch_size))
    losses = -logits.log_softmax(-1).gather(-1, data[1:].unsqueeze(-1)).squeeze(-1)
    known = ~unknown[1:]
    assert 0 < known.sum() < known.numel()
    assert result.loss == pytest.approx(float(losses.mean()), abs=1e-5)
    assert result.loss_known == pytest.approx(float(losses[known].mean()), abs=1e-5)


def test_a_text_of_unknown_words_alone_has_no_loss_over_known_ones():
    assert Evaluation.of([Block(2, 3.0, 1.0, 1.0, None, 2, 3.0)]).loss_known is None


def test_a_hopeless_loss_has_a_finite_perplexity():
    assert Evaluation(1, 1e6, 1.0, 1.0).perplexity == pytest.approx(math.exp(700))


def test_dropout_is_off_while_a_model_is_evaluated(model):
    data = batchify(WORDS, 1)
    expected = evaluate(model, data).loss
    assert evaluate(model.train(), data).loss == expected


@pytest.fixture
def three_threads():
    """A thread count that no evaluation here asks for."""
    with thread_count(3):
        yield


@pytest.fixture
def seen(model):
    """The thread count and inference mode at each step of the model."""
    states = []
    hook = model.decoder.register_forward_pre_hook(lambda *_: states.append(state()))
    yield states
    hook.remove()


def state():
    return torch.get_num_threads(), torch.is_inference_mode_enabled()


def test_threads_and_inference_mode_hold_within_blocks_only(model, three_threads, seen):
    blocks = evaluate_blocks(model, batchify(WORDS, 1), bptt=25, chunks_per_block=2)
    between = [state() for _ in blocks]
    assert between == [(3, False)] * 2
    assert seen == [(1, True)] * 4
    assert state() == (3, False)


@pytest.mark.skipif(cpu_count() < 2, reason="this machine has one CPU")
def test_a_model_may_use_more_threads_than_one(model, three_threads, seen):
    evaluate(model, batchify(WORDS, 1), threads=2)
    assert set(seen) == {(2, True)}


def test_threads_and_inference_mode_are_restored_after_an_error(model, three_threads):
    data = batchify(torch.tensor([1, 2, 3, 99, 1]), 1)  # there is no word 99
    blocks = evaluate_blocks(model, data, bptt=1, chunks_per_block=1)
    next(blocks)
    with pytest.raises(IndexError):
        list(blocks)
    assert state() == (3, False)


def test_threads_and_inference_mode_are_restored_when_evaluation_is_stopped(model, three_threads):
    with closing(evaluate_blocks(model, batchify(WORDS, 1), chunks_per_block=1)) as blocks:
        next(blocks)
    assert state() == (3, False)
    assert list(blocks) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bptt": 0}, "the chunk length must be a whole number from 1 to 1,000, got 0"),
        ({"bptt": 1_001}, "the chunk length must be a whole number from 1 to 1,000, got 1,001"),
        ({"bptt": 2.5}, r"the chunk length must be a whole number from 1 to 1,000, got 2\.5"),
        ({"bptt": "25"}, "the chunk length must be a whole number from 1 to 1,000, got '25'"),
        ({"threads": 0}, r"threads must be .* from 1 to \d+ \(this machine's CPUs\), got 0"),
        ({"threads": 10_000}, r"threads must be .* \(this machine's CPUs\), got 10,000"),
        ({"threads": True}, r"threads must be .* \(this machine's CPUs\), got True"),
    ],
)
def test_a_setting_out_of_range_is_refused(model, setting, message):
    with pytest.raises(SettingError, match=message):
        evaluate(model, batchify(WORDS, 1), **setting)


def test_the_longest_chunk_is_longer_than_the_text(model):
    data = batchify(WORDS, 1)
    assert evaluate(model, data, bptt=1_000).tokens == 96
