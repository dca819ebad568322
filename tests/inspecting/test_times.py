"""Times by module: what is timed is the model itself, and the job tells all of it."""

import json
from itertools import islice

import pytest
import torch

from wlm.errors import SettingError, VariantError
from wlm.inspecting.roofline import Roofline, work
from wlm.inspecting.times import InspectSpec, ModuleTimes, inspect, timed_passes
from wlm.measuring.evaluate import evaluate
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.runs.execute import execute
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore
from wlm.text.corpus import batchify, read_text

ORT_INT8 = "onnxruntime:lstm=int8,linear=int8,embedding=int8"


@pytest.fixture
def named(model_folder, text_file, monkeypatch) -> InspectSpec:
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    return InspectSpec(model="tiny", text="short", bptt=5, seconds=0.2)


@pytest.mark.parametrize("name", ["fp32", "int8", "onnxruntime:", ORT_INT8])
def test_what_is_timed_gives_the_losses_of_an_evaluation(
    model, vocabulary, text_file, monkeypatch, name
):
    """Four passes of 5 words: their losses are those of the first 20 words."""
    made, data = (
        prepare(model, Variant.parse(name)),
        batchify(read_text(text_file, vocabulary).ids, 1),
    )
    modules, losses = made.modules(), []
    loss = modules.loss
    monkeypatch.setattr(modules, "loss", lambda *each: losses.append(loss(*each)), raising=False)
    monkeypatch.setattr(made, "modules", lambda: modules)
    times = list(islice(timed_passes(made, data, 5), 4))
    assert sum(losses) / 4 == pytest.approx(evaluate(made, data[:21], bptt=5).loss, abs=1e-5)
    assert [len(row) for row in times] == [4] * 4
    assert all(seconds > 0 for row in times for seconds in row)


@pytest.mark.parametrize("name", ["onnxruntime:", ORT_INT8, "onnxruntime:lstm=int8-channel"])
def test_an_onnx_file_cut_into_modules_computes_what_it_does_whole(model, name):
    """Several texts at once, too, from a state that is not zero."""
    made = prepare(model, Variant.parse(name))
    words = torch.arange(12).view(4, 3) % 20
    targets = (words.flatten() + 3) % 20
    hidden = tuple(
        torch.linspace(-0.9, 0.8, state.numel()).view(state.shape) for state in made.init_hidden(3)
    )
    modules = made.modules()
    output, state = modules.lstm(modules.embedding(words), hidden)
    logits = modules.decoder(output)
    expected, expected_state = made(words, hidden)
    torch.testing.assert_close(torch.from_numpy(logits.numpy()), expected)
    torch.testing.assert_close(state, expected_state)
    nll, _ = made.nll(words, hidden, targets)
    assert modules.loss(logits, targets) == pytest.approx(float(nll.mean()), abs=1e-6)


def test_a_text_is_read_again_and_again_in_whole_passes(model):
    data = torch.arange(12).view(-1, 1)
    assert len(list(islice(timed_passes(prepare(model, Variant()), data, 5), 7))) == 7


@pytest.mark.slow
def test_the_job_times_every_module_of_every_variant(named, tmp_path):
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    run = Run("inspect", named.to_json())
    store.create(run)
    execute(run.id, store)
    run = store.get(run.id)
    assert (run.state, run.message, run.done) == (State.DONE, "", 1.0)
    json.dumps(run.result)
    assert [result["variant"] for result in run.result["results"]] == ["fp32", "int8"]
    assert run.result["rounds"] >= 1
    for result in run.result["results"]:
        assert [one_pass["tokens"] for one_pass in result["passes"]] == [5, 1]
        for one in result["passes"]:
            names = [module["module"] for module in one["modules"]]
            assert names == ["embedding", "LSTM", "decoder", "loss"]
            assert one["seconds"] == sum(module["seconds"] for module in one["modules"]) > 0
    assert set(run.result["roofline"]) == {
        "memory_bytes_per_s",
        "cache_bytes_per_s",
        "fp32_ops_per_s",
        "int8_ops_per_s",
        "bf16_ops_per_s",
    }


def test_numbers_are_medians_of_rounds_beside_the_work_of_the_shapes(model):
    """Three rounds of 1, 2 and 9 ms for the decoder: 2 ms, 2 x 120 operations in it."""
    spec = InspectSpec(variants=("fp32",), bptt=5)
    rounds = [[1e-3, 1e-3, seconds, 1e-3] for seconds in (1e-3, 9e-3, 2e-3)]
    times = ModuleTimes(
        spec,
        "short",
        model.config,
        Roofline(10e9, 40e9, 100e9, None),
        {("fp32", 5): rounds, ("fp32", 1): rounds},
    )
    chunk, word = times.to_json()["results"][0]["passes"]
    decoder = word["modules"][2]
    assert (decoder["seconds"], word["seconds"]) == (2e-3, 5e-3)
    assert decoder["spread"] == pytest.approx((5.5 - 1.5) / 2)
    assert decoder["multiply_adds"] == 120
    assert decoder["ops_per_s"] == pytest.approx(2 * 120 / 2e-3)
    bytes_moved = work(model.config, Variant(), 1)["decoder"].bytes_moved
    assert decoder["roof_share"] == pytest.approx(120e3 / (240 / bytes_moved * 10e9))
    assert decoder["bound_by"] == "memory"
    assert chunk["modules"][3]["bound_by"] is None
    assert chunk["modules"][3]["roof_share"] is None
    (warning,) = times.to_json()["warnings"]
    assert "fp32" in warning and "quartile" in warning


def test_a_spec_survives_json_and_refuses_what_it_does_not_know():
    spec = InspectSpec(variants=("fp32", "pytorch:lstm=int8,linear=int8"), seconds=2.0)
    assert spec.variants == ("fp32", "int8")
    assert InspectSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    with pytest.raises(SettingError, match="no setting 'tokens'"):
        InspectSpec.from_json({**spec.to_json(), "tokens": 3})


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"variants": ()}, SettingError, "number of variants must be .* 1 to 20, got 0"),
        ({"variants": ("int4",)}, VariantError, "'int4'"),
        ({"bptt": 0}, SettingError, "chunk length .* got 0"),
        ({"threads": 0}, SettingError, "threads .* got 0"),
        ({"seconds": 0.0}, SettingError, "seconds .* got 0.0"),
        ({"seed": -1}, SettingError, "seed .* got -1"),
    ],
)
def test_bad_settings_are_named(settings, error, words):
    with pytest.raises(error, match=words):
        InspectSpec(**settings)


def test_a_text_shorter_than_a_chunk_is_named(named, text_file):
    text_file.write_text("the old town\n", "utf-8")
    with pytest.raises(
        SettingError, match=r"the chunk length must be .* 1 to 3 \('short' has 4 tokens\), got 5"
    ):
        list(inspect(named))
