"""The names of variants: what is written, read and shown."""

import pytest

from wlm.errors import VariantError
from wlm.variant import PRECISIONS, SHORT_FORMS, Variant

ALL = [
    (Variant(), "fp32", "fp32"),
    (Variant(lstm="int8"), "pytorch:lstm=int8", "int8 LSTM"),
    (Variant(linear="int8"), "pytorch:linear=int8", "int8 Linear"),
    (Variant(lstm="int8", linear="int8"), "int8", "int8 LSTM + Linear"),
]


def test_the_variants_tested_here_are_all_there_are():
    parts = PRECISIONS["pytorch"]
    assert list(PRECISIONS) == ["pytorch"]
    assert {variant for variant, _, _ in ALL} == {
        Variant(lstm, linear) for lstm in parts["lstm"] for linear in parts["linear"]
    }


@pytest.mark.parametrize(("variant", "name", "label"), ALL)
def test_every_variant_has_a_name_that_reads_back_and_a_label(variant, name, label):
    assert str(variant) == name
    assert Variant.parse(name) == variant
    assert variant.label == label


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
        ("tensorflow:lstm=int8", "the runtime must be one of pytorch, got 'tensorflow'"),
        (":lstm=int8", "the runtime must be one of pytorch, got ''"),
        ("pytorch:encoder=int8", "must be one of lstm, linear, named once, got 'encoder' in 'pyto"),
        ("pytorch:runtime=pytorch", "must be one of lstm, linear, named once, got 'runtime'"),
        ("pytorch:lstm=int8,lstm=fp32", "must be one of lstm, linear, named once, got 'lstm' in"),
        ("pytorch:lstm=int8, ,", "must be one of lstm, linear, named once, got '' in"),
        ("pytorch:lstm=int4", "lstm must be one of fp32, int8 on pytorch, got 'int4'"),
        ("pytorch:lstm", "lstm must be one of fp32, int8 on pytorch, got ''"),
        (
            "pytorch:linear=int8=int8",
            "linear must be one of fp32, int8 on pytorch, got 'int8=int8'",
        ),
    ],
)
def test_a_misspelt_variant_is_refused_with_what_is_allowed(name, message):
    with pytest.raises(VariantError, match=message):
        Variant.parse(name)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lstm": "int4"}, "lstm must be one of fp32, int8 on pytorch, got 'int4'"),
        ({"linear": ""}, "linear must be one of fp32, int8 on pytorch, got ''"),
        ({"lstm": True}, "lstm must be one of fp32, int8 on pytorch, got True"),
        ({"runtime": "onnx"}, "the runtime must be one of pytorch, got 'onnx'"),
    ],
)
def test_a_variant_cannot_be_made_of_unknown_values(settings, message):
    with pytest.raises(VariantError, match=message):
        Variant(**settings)
