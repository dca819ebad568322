"""The names of variants: what is written, read and shown."""

import re
from contextlib import suppress
from itertools import product

import pytest

from wlm.errors import VariantError
from wlm.quantization.variant import ENGINES, OFFERED, PRECISIONS, SHORT_FORMS, Variant, describe

ON_PYTORCH = "fp32, bf16, fp16, int8, int8-channel on pytorch"
LABELS = {
    "fp32": "fp32",
    "int8": "int8 LSTM + Linear",
    "pytorch:lstm=int8": "int8 LSTM",
    "pytorch:linear=int8": "int8 Linear",
    "pytorch:lstm=int8,linear=int8,embedding=int8": "int8 all",
    "pytorch:lstm=bf16,linear=bf16,embedding=bf16": "bf16 all",
    "pytorch:lstm=fp16,linear=fp16": "fp16 LSTM + Linear",
    "pytorch:lstm=int8-channel,linear=int8-channel": "int8-channel LSTM + Linear",
    "pytorch:lstm=int8,linear=int8,engine=onednn": "int8 LSTM + Linear, onednn",
    "pytorch:lstm=int8,linear=int8,engine=qnnpack": "int8 LSTM + Linear, qnnpack",
    "onnxruntime:": "ORT fp32",
    "onnxruntime:lstm=int8,linear=int8,embedding=int8": "ORT int8 all",
    "onnxruntime:lstm=int8-channel,linear=int8-channel,embedding=int8": "ORT int8-channel all",
    "onnxruntime:lstm=int8,linear=int4,embedding=int4": "ORT int8 LSTM, int4 rest",
    # Not offered, but as good.
    "pytorch:lstm=fp16,linear=int8": "fp16 LSTM, int8 Linear",
    "pytorch:lstm=fp16,linear=int8,engine=fbgemm": "fp16 LSTM, int8 Linear, fbgemm",
    "onnxruntime:embedding=int8": "ORT int8 Embedding",
    "onnxruntime:linear=int4,embedding=int4": "ORT int4 Linear + Embedding",
    "onnxruntime:lstm=int8,embedding=int4": "ORT int8 LSTM, int4 Embedding",
}


def every_variant() -> list[Variant]:
    """All combinations that are allowed."""
    variants = []
    for runtime, parts in PRECISIONS.items():
        for lstm, linear, embedding, engine in product(*parts.values(), ENGINES):
            with suppress(VariantError):
                variants.append(Variant(lstm, linear, embedding, engine, runtime))
    return variants


@pytest.mark.parametrize(("name", "label"), LABELS.items())
def test_a_variants_name_reads_back_and_its_label_says_what_it_is(name, label):
    assert str(Variant.parse(name)) == name
    assert Variant.parse(name).label == label


def test_what_pages_offer_has_labels_that_differ_and_fit_a_chart():
    assert set(OFFERED) < set(LABELS)
    labels = [LABELS[name] for name in OFFERED]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 27


def test_all_variants_differ_in_name_and_label():
    variants = every_variant()
    # On PyTorch 5 * 5 * 3 without an engine. With one, an LSTM or Linear is int8: 16 of the 25
    # pairs, 4 of which have fp16 too and so two engines of the four. On the other 3 * 4 * 3.
    assert len(variants) == 75 + 3 * (12 * 4 + 4 * 2) + 36
    assert [Variant.parse(str(variant)) for variant in variants] == variants
    assert len({variant.label for variant in variants}) == len(variants)


@pytest.mark.parametrize("name", LABELS)
def test_every_variant_is_described_in_one_sentence(name):
    sentence = describe(Variant.parse(name))
    assert 40 < len(sentence) < 200
    assert sentence[0].isupper() and re.fullmatch(r"[^\n]*[^.]\.", sentence)
    assert sentence.count(". ") == 0


def test_what_is_offered_is_described_by_kind():
    kinds = {describe(Variant.parse(name)) for name in OFFERED}
    assert len(kinds) == 11  # three tutorial ones share theirs, and so do ORT's two in int8
    assert "qnnpack" in describe(Variant.parse("pytorch:linear=int8,engine=qnnpack"))


@pytest.mark.parametrize("short", SHORT_FORMS)
def test_a_short_form_means_its_long_one(short):
    assert Variant.parse(short) == Variant.parse(SHORT_FORMS[short])
    assert str(Variant.parse(SHORT_FORMS[short])) == short


@pytest.mark.parametrize(
    ("name", "shortest"),
    [
        ("pytorch:", "fp32"),
        ("pytorch:lstm=fp32,linear=fp32", "fp32"),
        ("pytorch:linear=int8,lstm=int8", "int8"),
        ("pytorch:lstm=int8,linear=fp32", "pytorch:lstm=int8"),
        (" pytorch: lstm = int8 ,", "pytorch:lstm=int8"),
        (" int8\n", "int8"),
    ],
)
def test_a_variant_may_be_written_in_other_ways(name, shortest):
    assert str(Variant.parse(name)) == shortest


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "a variant is written fp32, int8 or .*, got ''"),
        ("int4", "a variant is written fp32, int8 or .*, got 'int4'"),
        ("FP32", "a variant is written fp32, int8 or .*, got 'FP32'"),
        ("lstm=int8", "a variant is written .* pytorch:lstm=int8,linear=int8, got 'lstm=int8'"),
        (
            "tensorflow:lstm=int8",
            "the runtime must be one of pytorch, onnxruntime, got 'tensorflow'",
        ),
        (":lstm=int8", "the runtime must be one of pytorch, onnxruntime, got ''"),
        (
            "pytorch:encoder=int8",
            "must be one of lstm, linear, embedding, engine, named once, got 'encoder' in 'pyto",
        ),
        (
            "pytorch:runtime=pytorch",
            "must be one of lstm, linear, embedding, engine, named once, got 'runtime'",
        ),
        (
            "pytorch:lstm=int8,lstm=fp32",
            "must be one of lstm, linear, embedding, engine, named once, got 'lstm' in",
        ),
        (
            "pytorch:lstm=int8, ,",
            "must be one of lstm, linear, embedding, engine, named once, got '' in",
        ),
        (
            "pytorch:lstm=int4",
            f"lstm must be one of {ON_PYTORCH}, got 'int4'",
        ),
        (
            "pytorch:lstm",
            "lstm must be one of fp32, bf16, fp16, int8, int8-channel on pytorch, got ''",
        ),
        (
            "onnxruntime:lstm=fp16",
            "lstm must be one of fp32, int8, int8-channel on onnxruntime, got",
        ),
        ("onnxruntime:linear=fp16", "linear must be one of .* on onnxruntime, got 'fp16'"),
        (
            "pytorch:embedding=fp16",
            "embedding must be one of fp32, bf16, int8 on pytorch, got 'fp16'",
        ),
        ("onnxruntime:embedding=int8-channel", "embedding must be one of fp32, int8, int4 on"),
        ("pytorch:lstm=int8,engine=mkl", "engine must be one of x86, fbgemm, onednn, qnnpack, got"),
        ("pytorch:lstm=int8,engine=", "engine must be one of x86, fbgemm, onednn, qnnpack, got ''"),
        (
            "pytorch:engine=x86",
            "an engine is named for an int8 LSTM or Linear only, got engine=x86",
        ),
        ("pytorch:embedding=int8,engine=x86", "for an int8 LSTM or Linear only, got engine=x86"),
        ("pytorch:lstm=fp16,engine=x86", "for an int8 LSTM or Linear only, got engine=x86"),
        (
            "onnxruntime:lstm=int8,engine=x86",
            "an engine is named on pytorch only, got one on onnxruntime",
        ),
        (
            "pytorch:lstm=fp16,linear=int8,engine=onednn",
            "fp16 needs one of the engines x86, fbgemm, got engine=onednn",
        ),
        (
            "pytorch:lstm=int8,engine=x86,engine=x86",
            "named once, got 'engine' in",
        ),
        (
            "pytorch:linear=int8=int8",
            f"linear must be one of {ON_PYTORCH}, got 'int8=int8'",
        ),
    ],
)
def test_a_misspelt_variant_is_refused_with_what_is_allowed(name, message):
    with pytest.raises(VariantError, match=message):
        Variant.parse(name)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"lstm": "int4"},
            f"lstm must be one of {ON_PYTORCH}, got 'int4'",
        ),
        (
            {"linear": ""},
            f"linear must be one of {ON_PYTORCH}, got ''",
        ),
        (
            {"lstm": True},
            f"lstm must be one of {ON_PYTORCH}, got True",
        ),
        ({"runtime": "onnx"}, "the runtime must be one of pytorch, onnxruntime, got 'onnx'"),
    ],
)
def test_a_variant_cannot_be_made_of_unknown_values(settings, message):
    with pytest.raises(VariantError, match=message):
        Variant(**settings)
