"""ONNX Runtime's variants: the same model, its file in the cache, and what can go wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from wlm import cache, onnx_export
from wlm.errors import VariantError, WLMError
from wlm.model import LSTMModel
from wlm.onnx_export import onnx_file
from wlm.onnx_runtime import OnnxModel
from wlm.prepare import prepare, why_unavailable
from wlm.variant import Variant

ROOT = Path(__file__).resolve().parent.parent
FP32 = Variant(runtime="onnxruntime")
INT8 = Variant("int8", "int8", "int8", runtime="onnxruntime")
PARTS = {"lstm": "DynamicQuantizeLSTM", "linear": "MatMulInteger", "embedding": "DequantizeLinear"}


def words(length: int, batch: int) -> torch.Tensor:
    return torch.arange(length * batch).view(length, batch) * 7 % 20


def operators(content: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(content).graph.node}


@pytest.mark.parametrize(("length", "batch"), [(1, 1), (5, 1), (3, 4)])
def test_fp32_gives_the_models_logits_and_hidden_state(model, length, batch):
    made, hidden = prepare(model, FP32), model.init_hidden(batch)
    ours = hidden
    for step in range(2):  # the hidden state is carried along
        input = words(length, batch) + step
        with torch.inference_mode():
            expected, hidden = model(input, hidden)
        logits, ours = made(input, ours)
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(ours, hidden, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("length", "batch"), [(1, 1), (5, 1), (3, 4)])
def test_the_loss_in_the_graph_is_pytorchs(model, length, batch):
    input, targets = words(length, batch), words(length, batch).flip(0).reshape(-1)
    with torch.inference_mode():
        expected, hidden = model.nll(input, model.init_hidden(batch), targets)
    made = prepare(model, FP32)
    nll, ours = made.nll(input, made.init_hidden(batch), targets)
    assert nll == pytest.approx(expected, abs=1e-5 * len(targets))
    torch.testing.assert_close(ours, hidden, atol=1e-5, rtol=0)


@pytest.mark.parametrize("part", PARTS)
def test_each_switch_changes_its_part_alone(model, part):
    content = onnx_file(model, Variant(runtime="onnxruntime", **{part: "int8"}))
    found = operators(content)
    assert {name for name, operator in PARTS.items() if operator in found} == {part}
    assert ("LSTM" in found) == (part != "lstm")


def test_int8_linear_is_the_arithmetic_of_its_integers(model):
    """The decoder by hand: 8-bit activations with one scale, times the file's 8-bit weights."""
    content = onnx_file(model, Variant(linear="int8", runtime="onnxruntime"))
    graph = onnx.load_from_string(content).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    (product,) = (node for node in graph.node if node.op_type == "MatMulInteger")
    weights = stored[product.input[1]].astype(np.int32)  # (H, V)
    name = product.input[1].removesuffix("_quantized")
    scale, zero = stored[f"{name}_scale"], stored[product.input[3]].astype(np.int32)
    dequantized = (weights - zero) * scale
    exact = model.decoder.weight.numpy().T
    assert np.abs(dequantized - exact).max() <= scale / 2 * 1.001

    input = words(4, 1)
    with torch.inference_mode():
        before, _ = model.rnn(model.encoder(input), model.init_hidden(1))
    x = before.numpy()  # (T, 1, H)
    low, high = min(0.0, x.min()), max(0.0, x.max())
    step = np.float32((high - low) / 255)
    middle = np.clip(np.rint(-low / step), 0, 255)
    levels = np.clip(np.rint(x / step) + middle, 0, 255)
    expected = (levels - middle) * step @ dequantized + model.decoder.bias.numpy()
    logits, _ = prepare(model, Variant(linear="int8", runtime="onnxruntime"))(
        input, model.init_hidden(1)
    )
    np.testing.assert_allclose(logits.numpy(), expected, atol=2e-2)
    assert np.abs(logits.numpy() - expected).mean() < 2e-3


def test_int8_embedding_is_the_file_s_dequantized_rows(model):
    content = onnx_file(model, Variant(embedding="int8", runtime="onnxruntime"))
    graph = onnx.load_from_string(content).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    (rows,) = (value for name, value in stored.items() if name == "encoder.weight_quantized")
    scale = stored["encoder.weight_scale"]
    zero = stored["encoder.weight_zero_point"].astype(np.float32)
    near = LSTMModel(20, 8, 6, 2)
    near.load_state_dict(model.state_dict())
    near.encoder.weight.data = torch.from_numpy((rows.astype(np.float32) - zero) * scale)
    near.eval()
    with torch.inference_mode():
        expected, _ = near(words(5, 1), near.init_hidden(1))
    made = prepare(model, Variant(embedding="int8", runtime="onnxruntime"))
    logits, _ = made(words(5, 1), made.init_hidden(1))
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)


def test_int8_is_near_fp32_and_not_the_same(model):
    with torch.inference_mode():
        expected, _ = model(words(5, 1), model.init_hidden(1))
    made = prepare(model, INT8)
    logits, _ = made(words(5, 1), made.init_hidden(1))
    difference = (logits - expected).abs().max()
    assert 1e-4 < difference < 0.5


def test_the_size_is_that_of_the_file(model):
    assert prepare(model, FP32).saved_bytes == len(onnx_file(model, FP32))


def test_threads_are_the_sessions(model):
    made = prepare(model, FP32, threads=1)
    assert made.threads == 1
    made(words(1, 1), made.init_hidden(1))
    (session,) = made._sessions.values()
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_making_variants_disturbs_nothing_and_prints_nothing(model, capfd):
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    random, threads = torch.random.get_rng_state(), torch.get_num_threads()
    prepare(model, INT8)
    assert torch.equal(torch.random.get_rng_state(), random)
    assert torch.get_num_threads() == threads
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert not model.training
    assert capfd.readouterr() == ("", "")


def kept() -> list[Path]:
    return sorted(cache.cache_folder().glob("*/*"))


def test_a_file_is_made_once_and_kept(model, monkeypatch):
    first = onnx_file(model, INT8)
    assert len(kept()) == 2  # the fp32 one that it is made of, too
    monkeypatch.setattr(torch.onnx, "export", None)
    monkeypatch.setattr(onnx_export, "_quantized", None)
    assert onnx_file(model, INT8) == first


def test_another_model_has_another_file(model):
    first = onnx_file(model, FP32)
    other = LSTMModel(20, 8, 6, 2)
    other.load_state_dict({key: value * 0.5 for key, value in model.state_dict().items()})
    assert onnx_file(other.eval(), FP32) != first
    assert len({path.parent for path in kept()}) == 2


def test_a_damaged_file_is_found_out_and_made_anew(model):
    first = onnx_file(model, FP32)
    (path,) = kept()
    path.write_bytes(first[:-1] + bytes([first[-1] ^ 1]))
    assert onnx_file(model, FP32) == first
    assert [each.read_bytes() for each in kept()] == [first]


def test_files_of_other_versions_are_removed(model, monkeypatch):
    onnx_file(model, FP32)
    (old,) = kept()
    monkeypatch.setattr(onnx_export, "EXPORT_FORMAT", 99)
    onnx_file(model, FP32)
    (new,) = kept()
    assert new.name.startswith("99-") and new != old


def test_the_cache_has_an_end_and_keeps_what_was_used_last(monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 250)
    for i, name in enumerate("abc"):
        cache.write_cached(f"group {name}", "1", name, name.encode() * 100)
        for path in kept():
            if path.parent.name == f"group {name}":
                os.utime(path, (i, i))
        if name == "b":
            assert cache.read_cached("group a", "1", "a")  # used now
    assert {path.parent.name for path in kept()} == {"group a", "group c"}


@pytest.mark.parametrize("folder", ["/dev/null/cache", "/proc/cache"])
def test_a_cache_that_cannot_be_written_costs_time_alone(model, monkeypatch, folder):
    monkeypatch.setenv("WLM_CACHE", folder)
    assert onnx_file(model, FP32) == onnx_file(model, FP32)


def test_two_processes_at_once_make_one_whole_file(model_folder):
    script = (
        "import sys; from wlm.checkpoint import load_checkpoint; from wlm.onnx_export import *\n"
        "model = load_checkpoint(sys.argv[1]).model\n"
        "print(flush=True); sys.stdin.readline()\n"
        "print(len(onnx_file(model, FP32)))"
    )
    command = [sys.executable, "-c", script, str(model_folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    makers = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for maker in makers:
        maker.stdout.readline()  # both have loaded: from here on they race
    sizes = [maker.communicate("\n", timeout=60)[0].strip() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    assert {str(path.stat().st_size) for path in kept()} == set(sizes)
    assert not [path for path in kept() if path.suffix == ".part"]


def test_a_failed_export_is_said_and_leaves_nothing(model, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no such operator\nand many more lines")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(WLMError, match=r"cannot be exported to ONNX: no such operator$"):
        prepare(model, INT8)
    assert kept() == []


def test_an_export_that_computes_something_else_is_refused(model, monkeypatch):
    wrong, export = LSTMModel(20, 8, 6, 2), torch.onnx.export
    state = {key: value * 1.001 for key, value in model.state_dict().items()}
    wrong.load_state_dict(state)
    monkeypatch.setattr(
        torch.onnx, "export", lambda _, *rest, **more: export(wrong.eval(), *rest, **more)
    )
    with pytest.raises(WLMError, match=r"must agree with PyTorch's to 1e-05, and differs by"):
        prepare(model, FP32)
    assert kept() == []


def test_where_onnx_is_missing_the_rest_works_and_it_says_so(model, monkeypatch):
    found = onnx_export.find_spec
    monkeypatch.setattr(
        onnx_export, "find_spec", lambda name: None if "onnx" in name else found(name)
    )
    reason = why_unavailable(INT8)
    assert "need onnx and onnxruntime" in reason and "pip install onnx onnxruntime" in reason
    with pytest.raises(VariantError, match="pip install onnx onnxruntime"):
        prepare(model, INT8)
    assert why_unavailable(Variant()) == ""
    assert prepare(model, Variant()).saved_bytes > 0


def test_its_parts_are_shown_with_their_shapes(model):
    assert str(OnnxModel(onnx_file(model, FP32), model.config)).splitlines()[1] == (
        "  Gather(20x8 float)"
    )
