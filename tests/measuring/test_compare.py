"""Comparisons of variants, in turn over the same text."""

import hashlib
import random
import shutil
import unicodedata
from pathlib import Path

import pytest

from helpers.tiny import WORDS
from wlm.errors import SettingError, TextError, VariantError
from wlm.measuring import compare as compare_module
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec, Comparison
from wlm.measuring.evaluate import Block, BlockReader, evaluate
from wlm.measuring.intervals import FEWEST_GROUPS, ratio_interval
from wlm.measuring.wording import how_sure
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify, read_text
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import save_checkpoint


@pytest.fixture
def spec(model_folder, text_file) -> CompareSpec:
    return CompareSpec(model=str(model_folder), text=str(text_file), bptt=5)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a chunk each, so that a short text has many rounds."""
    monkeypatch.setattr(compare_module, "BLOCK_SECONDS", 1e-9)


def changed(spec: CompareSpec, **changes) -> CompareSpec:
    return CompareSpec.from_json({**spec.to_json(), **changes})


def finish(spec: CompareSpec):
    *_, last = compare(spec)
    return last.measured


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("tokens", [None, 101])
def test_losses_are_those_of_each_variant_evaluated_alone(
    spec, small_blocks, model, vocabulary, text_file, batch_size, tokens
):
    results = finish(changed(spec, batch_size=batch_size, tokens=tokens)).to_json()["results"]
    ids = read_text(text_file, vocabulary).first(tokens)
    for name, result in zip(("fp32", "int8"), results, strict=True):
        alone = evaluate(quantize(model, Variant.parse(name)), batchify(ids, batch_size), bptt=5)
        assert result["loss"] == pytest.approx(alone.loss, abs=1e-9)
        assert result["perplexity"] == pytest.approx(alone.perplexity)
        assert result["label"] == Variant.parse(name).label


def test_each_round_reads_the_same_tokens_with_every_variant(spec, small_blocks):
    comparison = finish(changed(spec, variants=["fp32", "int8", "pytorch:lstm=int8"]))
    tokens = [[block.tokens for block in blocks] for blocks in comparison.blocks]
    assert len(tokens[0]) > 10
    assert tokens[0] == tokens[1] == tokens[2]
    assert sum(tokens[0]) + 1 == comparison.to_json()["protocol"]["tokens"]


def test_words_composed_differently_are_counted_among_the_tokens_read(
    tmp_path, model, small_blocks
):
    words = Vocabulary([*WORDS[:-1], unicodedata.normalize("NFC", "café")])
    save_checkpoint(tmp_path / "m", model, words)
    line = unicodedata.normalize("NFD", "the café the bridge\n")  # five tokens
    (tmp_path / "text.txt").write_text(line * 20, "utf-8")
    spec = CompareSpec(model=str(tmp_path / "m"), text=str(tmp_path / "text.txt"), bptt=5)
    for tokens, batch_size, expected in ((None, 1, 20), (22, 1, 5), (40, 2, 8)):
        result = finish(changed(spec, tokens=tokens, batch_size=batch_size)).to_json()
        assert result["protocol"]["unknown"]["recomposed"] == expected
        assert any(f"{expected} of the words read" in said for said in result["warnings"])


@pytest.mark.slow
def test_it_tells_the_weights_by_their_hash(spec, model_folder, tmp_path):
    weights = model_folder / "model.safetensors"
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert finish(spec).to_json()["protocol"]["weights_sha256"] == expected
    alone = Path(shutil.copy(weights, tmp_path / "alone.safetensors"))
    bare = changed(spec, model=str(alone), vocabulary=str(model_folder / "vocab.txt"))
    assert finish(bare).to_json()["protocol"]["weights_sha256"] == expected
    random_weights = finish(changed(spec, model="random-8", tokens=11))
    assert random_weights.to_json()["protocol"]["weights_sha256"] is None


def test_the_order_within_a_round_is_random_and_fixed_by_the_seed(spec, small_blocks, monkeypatch):
    def order(seed: int) -> list[int]:
        seen: list[BlockReader] = []
        with monkeypatch.context() as patch:
            read = BlockReader.read

            def noted(self, model, chunks):
                if len(self.data) > spec.bptt + 1:  # else it is the warm-up
                    seen.append(self)
                return read(self, model, chunks)

            patch.setattr(BlockReader, "read", noted)
            finish(changed(spec, seed=seed))
        places = {reader: i for i, reader in enumerate(dict.fromkeys(seen))}
        return [places[reader] for reader in seen]

    first = order(1)
    pairs = {tuple(first[i : i + 2]) for i in range(0, len(first), 2)}
    assert pairs == {(0, 1), (1, 0)}
    again, others = order(1), [order(seed) for seed in range(2, 6)]
    assert again == first
    assert any(other != first for other in others)


def test_every_variant_is_prepared_again_before_each_group(spec, small_blocks, monkeypatch):
    made, used, prepare = [], [], compare_module.prepare

    def noted(model, variant, threads):
        prepared = prepare(model, variant, threads)
        weights = prepared.module.encoder.weight  # fp32 in both variants
        made.append((str(variant), weights))  # kept, so that no later one gets the same address
        return prepared

    read = BlockReader.read
    monkeypatch.setattr(compare_module, "prepare", noted)
    monkeypatch.setattr(
        BlockReader,
        "read",
        lambda self, model, n: used.append(model.module) or read(self, model, n),
    )
    made_of = finish(spec)
    groups = len(made_of.groups)
    assert groups >= 8 and sum(made_of.groups) == len(made_of.blocks[0])
    assert sorted(name for name, _ in made) == ["fp32"] * groups + ["int8"] * groups
    assert len({weights.data_ptr() for _, weights in made}) == 2 * groups
    assert len({id(module) for module in used}) == 2 * groups


def test_the_control_prepares_fp32_twice_for_each_group(spec, small_blocks, monkeypatch):
    made, prepare = [], compare_module.prepare
    monkeypatch.setattr(
        compare_module, "prepare", lambda model, *args: made.append(model) or prepare(model, *args)
    )
    comparison = finish(changed(spec, variants=["fp32", "fp32"]))
    assert len({model.encoder.weight.data_ptr() for model in made}) == 2 * len(comparison.groups)


def test_the_loss_is_that_of_the_same_tokens_to_the_last_digit(spec, small_blocks, monkeypatch):
    losses = set()
    for shorter, changes in ((1, {}), (1, {"seconds": 0.2}), (20, {}), (20, {"seconds": 0.3})):
        monkeypatch.setattr(compare_module, "FEWEST_ROUNDS", 128 // shorter)
        content = finish(changed(spec, tokens=240, **changes)).to_json()
        losses.add(tuple(result["loss"] for result in content["results"]))
    assert len(losses) == 1


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({}, 1_000_000),
        ({"tokens": 300}, 300),
        ({"tokens": 300, "seconds": 6.0}, 300),
        ({"seconds": 1.0}, 1_250),
        ({"seconds": 6.0}, 7_500),
        ({"seconds": 60.0}, 7_500),
        ({"seconds": 8.0, "bptt": 1}, 400),
        ({"seconds": 0.1, "batch_size": 4}, 500),
    ],
)
def test_what_is_read_at_least_once_depends_on_the_settings_alone(settings, tokens):
    assert CompareSpec(**settings).tokens_to_read(1_000_000) == tokens
    if "tokens" not in settings:
        assert CompareSpec(**settings).tokens_to_read(100) == 100


def test_a_variant_listed_twice_is_measured_twice_under_two_labels(spec, small_blocks):
    first, second = finish(changed(spec, variants=["fp32", "fp32"])).to_json()["results"]
    assert (first["label"], second["label"]) == ("fp32", "fp32 (2)")
    assert first["loss"] == second["loss"]
    assert first["blocks"] != second["blocks"]


def test_progress_grows_to_the_end_and_carries_the_numbers_so_far(spec, small_blocks):
    tokens, shares = [], []
    for progress in compare(spec):
        shares.append(progress.done)
        if progress.measured:
            tokens.append(progress.measured.to_json()["protocol"]["tokens"])
            assert progress.seconds_left >= 0.0
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert tokens == sorted(tokens) and len(set(tokens)) > 10


def test_a_budget_of_seconds_reads_its_tokens_once_and_adds_whole_groups(
    spec, small_blocks, text_file
):
    text_file.write_text(text_file.read_text("utf-8") * 200, "utf-8")
    comparison = finish(changed(spec, seconds=0.1))
    assert comparison.to_json()["protocol"]["tokens"] == 25
    assert len(comparison.blocks[0]) >= comparison.rounds_per_pass
    assert len(set(comparison.groups)) == 1
    measured = [block.wall_s for blocks in comparison.blocks for block in blocks]
    last = comparison.groups[-1]
    before = sum(sum(b.wall_s for b in blocks[:-last]) for blocks in comparison.blocks)
    assert before < 0.1 <= sum(measured)


def test_sums_are_those_of_the_blocks(spec, small_blocks):
    for result in finish(spec).to_json()["results"]:
        for total, part in (("elapsed_s", "wall_s"), ("cpu_s", "cpu_s")):
            assert result[total] == pytest.approx(sum(block[part] for block in result["blocks"]))
        tokens = sum(block["tokens"] for block in result["blocks"])
        assert result["tokens_per_s"] == pytest.approx(tokens / result["elapsed_s"])


@pytest.mark.parametrize("rounds", [1, 2, 3, 11])
def test_a_closed_comparison_keeps_what_it_measured(spec, small_blocks, rounds):
    """After the first round, and in the middle of a group, too."""
    stream = compare(spec)
    for progress in stream:
        if progress.measured and len(progress.measured.blocks[0]) == rounds:
            break
    stream.close()
    content = progress.measured.to_json()
    assert content["rounds"] == sum(content["groups"]) == rounds
    assert all(len(result["blocks"]) == rounds for result in content["results"])
    ends = content["results"][1]["speedup_ci95"]
    assert (ends is None) == (len(content["groups"]) < FEWEST_GROUPS)


def test_settings_survive_json(spec):
    assert CompareSpec.from_json(spec.to_json()) == spec
    assert CompareSpec(variants=("pytorch:linear=int8,lstm=int8",)).variants == ("int8",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variants": []}, "the number of variants must be a whole number from 1 to 20, got 0"),
        ({"tokens": 1}, "tokens must be a whole number from 2 to"),
        ({"seconds": 0.0}, "seconds must be a number from 0.1 to 86,400.0, got 0.0"),
        ({"seconds": float("nan")}, "seconds must be .* got nan"),
        ({"bptt": 0}, "the chunk length must be a whole number from 1 to 1,000, got 0"),
        ({"bptt": 2.5}, "the chunk length must be a whole number from 1 to 1,000, got 2.5"),
        ({"batch_size": 257}, "the batch size must be a whole number from 1 to 256, got 257"),
        (
            {"bptt": 1000, "batch_size": 20},
            "the chunk length times the batch size must be .* got 20,000",
        ),
        ({"threads": 0}, "threads must be a whole number from 1 to .*CPUs.*, got 0"),
        ({"threads": 100_000}, "threads must be .* got 100,000"),
        ({"seed": -1}, "seed must be .* got -1"),
        ({"surprise": 1}, "no setting 'surprise'"),
    ],
)
def test_settings_out_of_range_name_the_range_and_the_value(spec, changes, message):
    with pytest.raises(SettingError, match=message):
        changed(spec, **changes)


def test_an_unknown_variant_is_an_error(spec):
    with pytest.raises(VariantError, match="int7"):
        changed(spec, variants=["int7"])


def test_more_tokens_than_the_text_has_is_an_error_that_says_how_many(spec):
    with pytest.raises(SettingError, match=r"tokens must be .* to 640 .*'short'.* got 641"):
        finish(changed(spec, tokens=641))


def test_a_missing_text_is_an_error_that_names_the_choices(spec):
    with pytest.raises(TextError, match="no text 'nowhere': give a name"):
        finish(changed(spec, text="nowhere"))


def test_the_global_random_state_is_untouched(spec):
    state = random.getstate()
    finish(spec)
    assert random.getstate() == state


IRREGULAR = [0.8, 0.9, 1.3, 0.7, 1.2, 1.3, 1.0, 0.8, 0.7, 1.4, 0.9, 1.1]


def blocks_of(times: list[float], cpu_share: float = 1.0) -> list[Block]:
    return [Block(100, 400.0, time, time * cpu_share) for time in times]


def by_hand(
    *blocks: list[Block], target: float | None = None, groups: list[int] | None = None
) -> Comparison:
    spec = CompareSpec(variants=("fp32",) * len(blocks), target=target)
    return Comparison(spec, "text", [1] * len(blocks), len(blocks[0]), list(blocks), groups)


def test_noise_and_a_starved_cpu_are_said_in_words():
    quiet, uneven = blocks_of([1.0] * 12), blocks_of([1.0, 1.5] * 6)
    assert by_hand(quiet, quiet).to_json()["warnings"] == []
    (warning,) = by_hand(quiet, uneven).to_json()["warnings"]
    assert "40% (fp32 (2))" in warning
    (warning,) = by_hand(quiet, blocks_of([1.0] * 12, cpu_share=0.5)).to_json()["warnings"]
    assert "50% (fp32 (2))" in warning


@pytest.mark.parametrize(
    ("times", "expected"),
    [([0.5] * 12, "faster"), ([2.0] * 12, "slower"), (IRREGULAR, "undecided")],
)
def test_the_verdict_is_that_of_the_interval(times, expected):
    result = by_hand(blocks_of([1.0] * 12), blocks_of(times)).to_json()["results"][1]
    assert result["verdict"] == expected
    low, high = result["speedup_ci95"]
    assert low <= result["speedup"] <= high


def test_a_short_last_block_says_nothing_of_speed():
    short = Block(3, 12.0, 9.0, 9.0)
    comparison = by_hand([*blocks_of([1.0] * 8), short], blocks_of([0.5] * 9))
    assert comparison.speedup(1).value == pytest.approx(2.0)


def test_a_target_ends_a_run_only_when_all_speedups_are_sure_enough():
    even, uneven = blocks_of([1.0] * 8), blocks_of(IRREGULAR[:8])
    assert by_hand(even, even, target=0.03, groups=[1] * 8).is_sure()
    assert not by_hand(even, even, groups=[1] * 8).is_sure()
    assert not by_hand(even[:7], even[:7], target=0.03, groups=[1] * 7).is_sure()
    assert not by_hand(even, even, target=0.03, groups=[2] * 4).is_sure()
    assert not by_hand(even, even, uneven, target=0.03, groups=[1] * 8).is_sure()


def test_a_second_pass_leaves_the_loss_alone_and_all_times_come_from_all_rounds():
    comparison = by_hand(
        blocks_of([1.0] * 10), blocks_of([1.0] * 5 + [0.25] * 5), groups=[2, 2, 2, 2, 2]
    )
    comparison.rounds_per_pass = 5
    baseline, result = comparison.to_json()["results"]
    assert (baseline["elapsed_s"], result["elapsed_s"], result["loss"]) == (5.0, 3.125, 4.0)
    assert (result["tokens_per_s"], result["cpu_s"]) == (160.0, 3.125)
    assert result["speedup"] == pytest.approx(2.0)


def test_runs_of_earlier_versions_keep_their_interval_and_the_first_pass():
    comparison = by_hand(blocks_of([1.0] * 8), blocks_of([1.0] * 4 + [0.25] * 4))
    comparison.rounds_per_pass = 4
    content = comparison.to_json()
    result = content["results"][1]
    assert "groups" not in content
    assert (result["elapsed_s"], result["loss"]) == (4.0, 4.0)
    old = ratio_interval([1.0] * 8, [1.0] * 4 + [0.25] * 4, comparison.spec.seed)
    assert result["speedup_ci95"] == [old.low, old.high]
    assert how_sure(content) == "8 rounds within one process, prepared once"


@pytest.mark.slow
def test_with_a_budget_the_text_is_read_again(spec, small_blocks, text_file, monkeypatch):
    comparison = finish(changed(spec, seconds=0.5, tokens=51))
    assert len(comparison.blocks[0]) > 2 * comparison.rounds_per_pass
    first, second = comparison.blocks[0][:10], comparison.blocks[0][10:20]
    assert [block.nll for block in first] == [block.nll for block in second]
    assert comparison.to_json()["protocol"]["tokens"] == 51
