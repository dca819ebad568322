"""ONNX files are made once and checked; a failure gets a clear error."""

import copy
import importlib.util
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from helpers.processes import output_of
from wlm.errors import VariantError, WLMError
from wlm.quantization.onnx import export as onnx_export
from wlm.quantization.onnx.export import onnx_file
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant

ROOT = Path(__file__).resolve().parents[3]
FP32 = Variant(runtime="onnxruntime")
INT8 = Variant("int8", "int8", "int8", "", "onnxruntime")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def exports(monkeypatch) -> list:
    """The models that PyTorch exported."""
    seen, export = [], torch.onnx.export

    def note(model, *arguments, **settings):
        seen.append(model)
        return export(model, *arguments, **settings)

    monkeypatch.setattr(torch.onnx, "export", note)
    return seen


def test_a_model_is_exported_once(model, exports, own_cache):
    first = onnx_file(model, FP32)
    assert onnx_file(model, FP32) == first
    int8 = onnx_file(model, INT8)
    assert onnx_file(model, INT8) == int8 != first
    assert exports == [model]
    assert len(files(own_cache)) == 2


def test_a_file_of_the_same_model_is_not_read_or_hashed_again(model, own_cache, monkeypatch):
    first = onnx_file(model, INT8)

    def fail(*_):
        raise AssertionError("the file was in memory")

    with monkeypatch.context() as patch:
        patch.setattr(onnx_export, "read_cached", fail)
        patch.setattr(onnx_export, "_digest", fail)
        assert onnx_file(model, INT8) is first
    assert onnx_file(copy.deepcopy(model), INT8) == first


def test_memory_holds_the_last_files_up_to_a_limit(model, own_cache, monkeypatch):
    fp32, int8 = onnx_file(model, FP32), onnx_file(model, INT8)
    monkeypatch.setattr(onnx_export, "MOST_BYTES_IN_MEMORY", max(len(fp32), len(int8)))
    assert onnx_file(model, INT8) is int8
    again = onnx_file(model, FP32)
    assert again == fp32 and again is not fp32
    other = copy.deepcopy(model)
    kept = onnx_file(other, FP32)
    assert onnx_file(other, FP32) is kept
    assert onnx_file(model, FP32) is not again


@pytest.mark.slow
def test_other_weights_are_another_file(model, exports, own_cache):
    onnx_file(model, FP32)
    model.decoder.bias[3] += 1.0
    words, hidden = torch.tensor([[1], [5]]), model.init_hidden(1)
    made = prepare(model, FP32)
    torch.testing.assert_close(made(words, hidden)[0], model(words, hidden)[0])
    assert len(exports) == 2 and len(files(own_cache)) == 2


def test_a_corrupt_file_is_made_again(model, exports, own_cache):
    content = onnx_file(model, FP32)
    (path,) = files(own_cache)
    path.write_bytes(content[:-1] + b"!")
    assert onnx_file(copy.deepcopy(model), FP32) == content
    assert len(exports) == 2
    assert files(own_cache) == [path] and path.read_bytes() == content


@pytest.mark.parametrize("what", ["onnxruntime", "format"])
def test_files_of_other_versions_are_not_used_and_removed(
    model, exports, own_cache, monkeypatch, what
):
    onnx_file(model, INT8)
    old = files(own_cache)
    if what == "format":
        monkeypatch.setattr(onnx_export, "EXPORT_FORMAT", 99)
    else:
        version = onnx_export.version
        monkeypatch.setattr(
            onnx_export, "version", lambda name: "9.9" if name == what else version(name)
        )
    onnx_file(model, INT8)
    assert len(exports) == 2
    assert len(files(own_cache)) == 2 and not set(files(own_cache)) & set(old)


def test_without_a_cache_it_works_all_the_same(model, exports, monkeypatch):
    monkeypatch.setenv("WLM_CACHE", "/dev/null/x")
    assert onnx_file(model, FP32) == onnx_file(copy.deepcopy(model), FP32)
    assert len(exports) == 2
    prepare(model, INT8)


MAKE = """
import sys
from wlm.weights.checkpoint import load_checkpoint
from wlm.quantization.onnx.export import onnx_file
from wlm.quantization.variant import Variant
onnx_file(load_checkpoint(sys.argv[1]).model, Variant("int8", "int8", "int8", "", "onnxruntime"))
"""


@pytest.mark.slow
def test_two_processes_at_once_make_the_same_file(model, model_folder, own_cache):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(model_folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(2)
    ]
    for process in processes:
        printed, _ = output_of(process)
        assert (process.returncode, printed) == (0, b"")
    assert {path.suffix for path in files(own_cache)} & {".part"} == set()
    content = onnx_file(model, INT8)
    assert content in [path.read_bytes() for path in files(own_cache)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("no such operator\nat line 7"), "no such operator$"),
        (ValueError(), "ValueError$"),
        (MemoryError("too large"), "too large$"),
    ],
)
def test_a_failed_export_gets_a_clear_error_and_leaves_nothing(
    model, own_cache, monkeypatch, error, reason
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(torch.onnx, "export", fail)
    for variant in (FP32, INT8):
        with pytest.raises(WLMError, match=f"the model cannot be exported to ONNX: {reason}"):
            prepare(model, variant)
    assert files(own_cache) == []


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_an_export_that_computes_something_else_is_refused(model, own_cache, monkeypatch, value):
    export = torch.onnx.export

    def export_another(model, *arguments, **settings):
        state = {key: value.clone() for key, value in model.state_dict().items()}
        model.decoder.bias[3] += value
        try:
            return export(model, *arguments, **settings)
        finally:
            model.load_state_dict(state)

    monkeypatch.setattr(torch.onnx, "export", export_another)
    with pytest.raises(WLMError, match=r"must agree with PyTorch's to 1e-05, and differs by \S+$"):
        prepare(model, FP32)
    assert files(own_cache) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("no such operator\nat line 7"), "cannot be made: no such operator"),
        (OSError(28, "No space left"), "needs a temporary file that fails: No space left"),
    ],
)
def test_a_failed_quantizer_gets_a_clear_error_and_leaves_no_file(
    model, own_cache, monkeypatch, error, words
):
    import onnxruntime.quantization

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(onnxruntime.quantization, "quantize_dynamic", fail)
    with pytest.raises(WLMError, match=f"linear=int8,embedding=int8 {words}$"):
        prepare(model, INT8)
    assert len(files(own_cache)) == 1  # fp32's


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (["onnx"], "need onnx, not installed here: pip install onnx$"),
        (["onnxruntime"], "need onnxruntime, not installed here: pip install onnxruntime$"),
        (["onnx", "onnxruntime"], "need onnx and onnxruntime, .*: pip install onnx onnxruntime$"),
    ],
)
def test_missing_packages_are_named_and_the_rest_works(model, monkeypatch, missing, words):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        onnx_export, "find_spec", lambda name: None if name in missing else find(name)
    )
    for make in (prepare, onnx_file):
        with pytest.raises(VariantError, match=words):
            make(model, INT8)
    assert why_unavailable(FP32).startswith("ONNX Runtime's variants need")
    assert why_unavailable(Variant()) == ""
    prepare(model, Variant(lstm="int8"))


def test_nothing_else_is_changed_or_said(model, capfd):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(3)
    state, threads, filters = torch.get_rng_state(), torch.get_num_threads(), [*warnings.filters]
    level, folder = logging.getLogger().level, set(Path.cwd().iterdir())
    made = prepare(model.train(), INT8, threads=2)
    assert model.training
    words = torch.tensor([[1], [5]])
    made.nll(words, model.init_hidden(1), words.flatten())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads and torch.is_grad_enabled()
    assert logging.getLogger().level == level and warnings.filters == filters
    assert list(before) == list(model.state_dict())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert set(Path.cwd().iterdir()) == folder
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
