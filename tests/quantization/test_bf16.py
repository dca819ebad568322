"""Parts in bf16: what they compute, their size, and how they fit next to other parts."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F

from wlm.catalog.open import open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.inspecting.activation_error import activations, layer_errors
from wlm.inspecting.parts import module_bytes, saved_parts
from wlm.inspecting.weight_error import weight_errors
from wlm.measuring.evaluate import evaluate
from wlm.quantization import bf16
from wlm.quantization.prepare import held_bytes, prepare, slow_here, why_unavailable
from wlm.quantization.printout import printout
from wlm.quantization.variant import OFFERED, Variant, describe

ALL = Variant("bf16", "bf16", "bf16")
TOKENS = 3000  # of the bundled text, which has 7,441: bf16 is slow on many CPUs
WORDS = torch.arange(20).view(10, 2)
PRECISIONS = ("fp32", "bf16", "int8")
# A model of every combination of parts next to each other.
MIXED = [
    Variant(*precisions)
    for precisions in itertools.product(PRECISIONS, repeat=3)
    if "bf16" in precisions
]


def independent(model) -> torch.nn.Module:
    return copy.deepcopy(model).to(torch.bfloat16)


def test_all_parts_in_bf16_compute_what_a_model_cast_by_pytorch_does(model):
    made, cast = prepare(model, ALL), independent(model)
    hidden = model.init_hidden(2)
    with torch.inference_mode():
        logits, (h, c) = made(WORDS, hidden)
        expected, (cast_h, cast_c) = cast(WORDS, tuple(state.bfloat16() for state in hidden))
    assert logits.dtype == h.dtype == c.dtype == torch.float32
    assert torch.equal(logits, expected.float())
    assert torch.equal(h, cast_h.float()) and torch.equal(c, cast_c.float())
    assert (logits - model(WORDS, hidden)[0]).abs().max() > 1e-4


def test_the_loss_is_that_of_a_cast_model_with_softmax_in_32_bits(model):
    ids = torch.arange(60).remainder(20).view(-1, 1)
    cast, hidden = independent(model), tuple(s.bfloat16() for s in model.init_hidden(1))
    total = 0.0
    with torch.inference_mode():
        for i in range(0, len(ids) - 1, 25):
            targets = ids[i + 1 : i + 26, 0]
            logits, hidden = cast(ids[i : i + len(targets)], hidden)
            total += float(F.cross_entropy(logits[:, 0].float(), targets, reduction="sum"))
    loss = evaluate(prepare(model, ALL), ids).loss
    assert loss == pytest.approx(total / (len(ids) - 1), abs=1e-6)
    assert 0 < abs(loss - evaluate(prepare(model, Variant()), ids).loss) < 0.01


@pytest.mark.parametrize("variant", MIXED, ids=str)
def test_parts_of_any_precision_fit_next_to_each_other(model, variant):
    made = prepare(model, variant)
    hidden = model.init_hidden(2)
    logits, state = made(WORDS, hidden)
    expected, _ = model(WORDS, hidden)
    assert logits.dtype == state[0].dtype == torch.float32
    assert (logits - expected).abs().max() < 0.1
    assert Variant.parse(str(variant)) == variant
    # A runtime's output is what Inspect and How read part by part.
    modules = made.modules()
    output, _ = modules.lstm(modules.embedding(WORDS), hidden)
    assert torch.equal(modules.decoder(output), logits)


@pytest.mark.parametrize("variant", MIXED, ids=str)
def test_the_printout_of_bf16_parts_is_known_without_making_them(model, variant):
    assert printout(model.config, variant) == str(prepare(model, variant).module)


def test_the_model_itself_stays_in_fp32(model):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random = torch.get_rng_state()
    prepare(model, ALL)(WORDS, model.init_hidden(2))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_weights_are_rounded_to_the_nearest_of_bf16(model):
    fp32, made = prepare(model, Variant()), prepare(model, ALL)
    rounded = made.numbers()
    assert list(rounded) == list(model.state_dict())
    for name, values in fp32.numbers().items():
        assert rounded[name].dtype == torch.float32
        assert torch.equal(rounded[name], values.bfloat16().float())
    for error in weight_errors(fp32, made):
        assert 45 < error.sqnr_db < 65  # 8 significant bits: about 6.02 x 9 dB
        assert error.step is error.levels is None
    ids = torch.arange(12)
    for error in layer_errors(activations(fp32, ids), activations(made, ids)):
        assert 35 < error.sqnr_db < 70 and error.cosine > 0.9999


def test_a_number_in_bf16_has_two_bytes(model):
    numbers = sum(value.numel() for value in model.state_dict().values())
    parts = saved_parts(prepare(model, ALL))
    assert sum(parts.values()) - parts["file format"] == 2 * numbers
    assert sum(module_bytes(model.config, ALL).values()) == 2 * numbers
    assert held_bytes(model.config, ALL) == 2 * numbers


@pytest.mark.slow
def test_the_bundled_model_takes_57_mb_and_its_loss_hardly_moves(bundled):
    made = prepare(bundled.model, ALL)
    assert made.saved_bytes == pytest.approx(57e6, rel=0.01)
    data = open_text(DEFAULT_TEXT, bundled.vocabulary).first(TOKENS).view(-1, 1)
    losses = [evaluate(model, data).loss for model in (made, prepare(bundled.model, Variant()))]
    assert 0 < abs(losses[0] - losses[1]) < 0.001


def test_bf16_is_offered_and_named(monkeypatch):
    assert str(ALL) == "pytorch:lstm=bf16,linear=bf16,embedding=bf16" and str(ALL) in OFFERED
    assert ALL.label == "bf16 all"
    assert Variant(linear="bf16").label == "bf16 Linear"
    assert Variant(lstm="int8", embedding="bf16").label == "int8 LSTM, bf16 Embedding"
    assert why_unavailable(ALL) == "" and "bf16 arithmetic" in describe(ALL)


def test_a_cpu_without_bf16_arithmetic_is_reported(monkeypatch):
    monkeypatch.setattr("wlm.quantization.prepare.computes_bf16", lambda: False)
    assert slow_here(ALL) == ("This CPU has no bf16 arithmetic, so bf16 is slower than fp32 here.")
    assert slow_here(Variant()) == ""


@pytest.mark.parametrize(
    ("facts", "found"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_bf16_arithmetic_is_told_by_the_cpus_instructions(monkeypatch, facts, found):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: facts)
    monkeypatch.setattr(bf16.platform, "system", lambda: "Linux")
    assert bf16.computes_bf16.__wrapped__() is found
