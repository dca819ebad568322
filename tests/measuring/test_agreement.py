"""Agreement of two models' predictions, against independent code and by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wlm.measuring import compare as comparing
from wlm.measuring.agreement import (
    Differences,
    agreement,
    differences,
    joined,
    read_together,
    sentence,
)
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify

P, Q = (1 / 2, 1 / 4, 1 / 8, 1 / 8), (1 / 4, 1 / 2, 1 / 8, 1 / 8)


def logits(*distributions: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(distributions).log()


def test_the_divergence_of_two_distributions_of_four_words_is_the_one_worked_out_by_hand():
    found = differences(logits(P, P), logits(Q, P), torch.tensor([0, 3]))
    # 1/2 log 2 + 1/4 log 1/2 = 1/4 log 2
    assert found.kl == pytest.approx([0.25 * math.log(2), 0.0], abs=1e-7)
    assert found.same.tolist() == [False, True]
    assert found.change == pytest.approx([-1 / 4, 0.0], abs=1e-7)
    assert (found.expected.tolist(), found.preferred.tolist()) == ([0, 0], [1, 0])


def test_a_shift_of_all_logits_changes_nothing():
    found = differences(logits(P), logits(P) + 30.0, torch.tensor([1]))
    assert found.kl == pytest.approx([0.0], abs=1e-6)
    assert found.change == pytest.approx([0.0], abs=1e-6)


def test_small_divergences_keep_their_digits_and_huge_ones_stay_finite():
    torch.manual_seed(1)
    p = 3 * torch.randn(200, 1_000)
    for size in (1e-4, 1e-2, 1.0, 100.0):
        q = p + size * torch.randn(200, 1_000)
        log_p, log_q = p.double().log_softmax(-1), q.double().log_softmax(-1)
        expected = F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1)
        found = differences(p, q, torch.zeros(200, dtype=torch.int64))
        assert found.kl == pytest.approx(expected.numpy(), rel=1e-3, abs=1e-10)
        expected = (log_q.exp() - log_p.exp())[:, 0]
        assert found.change == pytest.approx(expected.numpy(), abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("bptt", [1, 7, 25])
def test_a_text_of_the_tiny_model_agrees_with_float64(model, batch_size, bptt):
    data = batchify(torch.arange(97) * 7 % 20, batch_size)
    models = [prepare(model, Variant.parse(name)) for name in ("fp32", "int8")]
    found = joined([pieces[0] for pieces in read_together(models, data, bptt=bptt)])
    assert len(found.kl) == data.size(0) * batch_size - batch_size
    expected, same, change = [], [], []
    hidden = [model.init_hidden(batch_size) for model in models]
    for start in range(0, len(data) - 1, bptt):
        stop = min(start + bptt, len(data) - 1)
        log = []
        for i, own in enumerate(models):
            output, hidden[i] = own(data[start:stop], hidden[i])
            log.append(output.double().log_softmax(-1))
        expected.append((log[0].exp() * (log[0] - log[1])).sum(-1))
        same.append(log[0].argmax(-1) == log[1].argmax(-1))
        targets = data[start + 1 : stop + 1, :, None]
        change.append((log[1].exp() - log[0].exp()).gather(-1, targets)[..., 0])
    assert found.kl == pytest.approx(torch.cat(expected).reshape(-1).numpy(), rel=1e-3, abs=1e-9)
    assert found.same.tolist() == torch.cat(same).reshape(-1).tolist()
    assert found.change == pytest.approx(torch.cat(change).reshape(-1).numpy(), abs=1e-6)
    assert found.kl.max() > 1e-6


def known(kl: list[float], same: list[bool], change: list[float]) -> Differences:
    zeros = np.zeros(len(kl), int)
    return Differences(np.array(kl), np.array(same), np.array(change), zeros, zeros + 1)


def test_the_summary_of_four_tokens_is_the_one_worked_out_by_hand():
    data = batchify(torch.arange(5), 1)
    pieces = [
        known([0.1, 0.3], [True, False], [0.3, 0.0]),
        known([0.2, 0.0], [True, True], [-0.4, 0.1]),
    ]
    content = agreement(joined(pieces), data, "abcde")
    assert content["tokens"] == 4
    assert content["kl_mean"] == pytest.approx(0.15)
    assert content["kl_median"] == pytest.approx(0.15)
    assert content["kl_p99"] == pytest.approx(0.297)  # 0.2 + 0.97 of the way to 0.3
    assert content["same_word"] == 0.75
    assert content["probability_change"] == pytest.approx(0.0)
    assert content["probability_rms"] == pytest.approx(math.sqrt((0.09 + 0.16 + 0.01) / 4))
    assert content["kl_mean_ci95"] is None  # too few tokens
    assert sum(content["kl_histogram"]) == 4
    # Where the models agree altogether nothing is named.
    assert [token["kl"] for token in content["furthest"]] == pytest.approx([0.3, 0.2, 0.1])
    first = content["furthest"][0]
    assert (first["position"], first["before"], first["word"]) == (2, ["a", "b"], "c")
    assert (first["baseline"], first["variant"]) == ("a", "b")


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held = dict.fromkeys(("kl_mean", "same_word", "probability_rms", "kl_median"), 0)
    truth = {"kl_mean": 1.0, "same_word": 0.9, "probability_rms": 2.0, "kl_median": math.log(2)}
    for seed in range(100):
        random = np.random.default_rng(seed)
        kl, same = random.exponential(1.0, 1_200), random.random(1_200) < 0.9
        change = random.normal(0.0, 2.0, 1_200)
        data = torch.zeros((1_201, 1), dtype=torch.int64)
        zeros = np.zeros(1_200, int)
        content = agreement(Differences(kl, same, change, zeros, zeros), data, "a")
        for name in held:
            low, high = content[f"{name}_ci95"]
            held[name] += low <= truth[name] <= high
    assert all(87 <= number <= 100 for number in held.values()), held


@pytest.mark.parametrize(
    ("same_word", "words"),
    [
        (0.96, "prefers another word at 1 token in 25"),
        (1.0, "prefers the same word at every token"),
    ],
)
def test_the_sentence_says_how_many_words_differ(same_word, words):
    said = sentence({"same_word": same_word}, "int8", -0.0041)
    assert said.startswith(f"int8 {words}")
    assert said.endswith("the loss changes by 0.004.")


def test_a_comparison_reads_on_for_agreement_after_everything_is_timed(model_folder, text_file):
    spec = CompareSpec(("fp32", "int8", "fp32"), str(model_folder), str(text_file), agreement=True)
    *_, last = compare(spec)
    assert (last.stage, last.done) == ("Comparing predictions", 1.0)
    baseline, int8, same = last.measured.to_json()["results"]
    assert "agreement" not in baseline
    assert int8["agreement"]["tokens"] == last.measured.tokens - 1
    assert same["agreement"]["kl_mean"] == 0.0 and same["agreement"]["same_word"] == 1.0
    plain = [*compare(replace(spec, agreement=False))][-1].measured.to_json()
    assert [row["loss"] for row in plain["results"]] == [
        row["loss"] for row in (baseline, int8, same)
    ]
    assert not any("agreement" in row for row in plain["results"])


def test_progress_computes_no_statistics_before_the_end(model_folder, text_file, monkeypatch):
    computed = []
    monkeypatch.setattr(comparing, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(comparing, "agreement", lambda *_: computed.append(1) or {"tokens": 1})
    spec = CompareSpec(("fp32", "int8", "fp32"), str(model_folder), str(text_file), agreement=True)
    for progress in compare(spec):
        if progress.stage == "Comparing predictions":
            agreements = [row.get("agreement") for row in progress.measured.to_json()["results"]]
            ended = progress.done == 1.0
            assert agreements == [None, *([{"tokens": 1}] * 2 if ended else [None] * 2)]
            assert len(computed) == 2 * ended
    assert len(computed) == 2


def test_many_variants_are_compared_in_groups_with_the_same_numbers(
    model_folder, text_file, monkeypatch
):
    names = ("fp32", "int8", "pytorch:lstm=int8", "pytorch:linear=int8")
    spec = CompareSpec(names, str(model_folder), str(text_file), agreement=True)
    found = []
    for most in (4, 2, 1):
        monkeypatch.setattr(comparing, "MOST_TOGETHER", most)
        *_, last = compare(spec)
        found.append([row.get("agreement") for row in last.measured.to_json()["results"]])
    assert found[0] == found[1] == found[2]
    assert len({row["kl_mean"] for row in found[0][1:]}) == 3


def test_a_single_variant_is_compared_with_fp32(model_folder, text_file):
    (result,) = [
        *compare(CompareSpec(("int8",), str(model_folder), str(text_file), agreement=True))
    ][-1].measured.to_json()["results"]
    assert 0.0 < result["agreement"]["kl_mean"] < 0.01
