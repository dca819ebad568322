"""A comparison's verdict, read aloud."""

import pytest

from wlm.measuring.wording import (
    how_sure,
    memory_sentences,
    repacked,
    sentence,
    size_in_words,
    unknown_warnings,
)


def outcome(label="int8 LSTM", *, speedup=1.0, ends=None, verdict="undecided", delta=0.0) -> dict:
    """A comparison's JSON with what a sentence needs."""
    baseline = {"label": "fp32", "loss": 5.0, "speedup": 1.0, "speedup_ci95": None}
    baseline |= {"verdict": "baseline"}
    chosen = {"label": label, "loss": 5.0 + delta, "speedup": speedup, "speedup_ci95": ends}
    return {"results": [baseline, {**chosen, "verdict": verdict}]}


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            outcome("int8 LSTM + Linear", speedup=2.6, ends=[2.549, 2.652], verdict="faster"),
            "int8 LSTM + Linear is 2.6 times as fast as fp32, give or take 2%, at the same loss to "
            "within 0.01 nats.",
        ),
        (
            outcome(speedup=1.04, ends=[1.03, 1.05], verdict="faster", delta=0.0099),
            "int8 LSTM is 4% faster than fp32, give or take 1%, at the same loss to within 0.01 "
            "nats.",
        ),
        (
            outcome(speedup=0.9, ends=[0.8999, 0.9001], verdict="slower", delta=0.051),
            "int8 LSTM is 10% slower than fp32, give or take less than 1%, at a loss 0.05 nats "
            "higher.",
        ),
        (
            outcome(speedup=0.4, ends=[0.39, 0.41], verdict="slower", delta=-0.2),
            "int8 LSTM is 2.5 times as slow as fp32, give or take 3%, at a loss 0.20 nats lower.",
        ),
        (
            outcome(speedup=1.005, ends=[0.98, 1.03]),
            "Undecided: int8 LSTM may be anything from 2% slower to 3% faster than fp32, at the "
            "same loss to within 0.01 nats.",
        ),
        (
            outcome(speedup=1.2, ends=[0.5, 2.0]),
            "Undecided: int8 LSTM may be anything from 2.0 times as slow to 2.0 times as fast as "
            "fp32, at the same loss to within 0.01 nats.",
        ),
        (
            outcome(speedup=1.2),
            "Undecided: too few groups to tell int8 LSTM's speed from fp32's, at the same loss to "
            "within 0.01 nats.",
        ),
        ({"results": outcome()["results"][:1]}, "fp32 has a loss of 5.00 nats per token."),
    ],
)
def test_the_verdict_reads_aloud(result, words):
    assert sentence(result) == words


def test_a_sentence_may_be_asked_of_each_variant():
    result = outcome(speedup=2.6, ends=[2.549, 2.652], verdict="faster")
    result["results"].append({**result["results"][1], "label": "int8 Linear"})
    assert sentence(result, 1).startswith("int8 LSTM is 2.6")
    assert sentence(result).startswith("int8 Linear is 2.6")


@pytest.mark.parametrize(
    ("size", "words"),
    [(79_738_939, "79.7 MB"), (100_000, "0.1 MB"), (99_999, "100.0 kB"), (7, "0.0 kB")],
)
def test_a_size_below_a_tenth_of_a_megabyte_is_in_kilobytes(size, words):
    assert size_in_words(size) == words


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([2] * 8, "8 groups of 2 rounds, prepared again for each"),
        ([2, 2, 1], "3 groups of 1 to 2 rounds, prepared again for each"),
        ([1], "1 group of 1 round"),
        (None, "7 rounds within one process, prepared once"),
    ],
)
def test_a_result_states_its_groups_and_rounds(groups, words):
    result = {"rounds": 7} | ({} if groups is None else {"groups": groups})
    assert how_sure(result) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, []),
        (1, ["1 of the words read composes its accents differently from the vocabulary (Unicode"]),
        (1_200, ["1,200 of the words read compose their accents differently from the vocabulary"]),
    ],
)
def test_words_composed_differently_are_reported(number, words):
    found = unknown_warnings({"share": 0.0, "line_ends": False, "recomposed": number})
    assert len(found) == len(words)
    assert all(said.startswith(start) for said, start in zip(found, words, strict=True))


def test_only_copies_that_onnx_runtime_keeps_are_explained():
    said = repacked("onnxruntime:", "ORT fp32", 387_000_000, 114_000_000)
    assert said == (
        "ORT fp32 takes 387 MB of memory for a file of 114 MB: ONNX Runtime keeps repacked copies "
        "of the weights."
    )
    assert repacked("onnxruntime:", "ORT fp32", 127_000_000, 114_000_000) == ""
    assert repacked("fp32", "fp32", 387_000_000, 114_000_000) == ""


def test_memory_is_told_for_the_variants_that_it_was_measured_for():
    found = {"added_bytes": 141_000_000, "peak_bytes": 256_000_000, "measure": "RSS"}
    rows = [
        {"variant": "fp32", "label": "fp32", "size_bytes": 114_000_000, "memory": found},
        {"variant": "int8", "label": "int8", "size_bytes": 80_000_000, "memory": None},
    ]
    assert memory_sentences(rows) == [
        "Added to a process's resident memory: fp32 141 MB (peak 256 MB)."
    ]
    assert memory_sentences(rows[1:]) == []
