"""Weights as training scripts leave them: what is read, how that is said, and what is refused."""

import argparse
import collections
import os
import pathlib
import pickle
import re
import types
import zipfile
from dataclasses import asdict

import numpy
import pytest
import safetensors.torch
import torch
from test_checkpoint import Malicious
from torch import nn

from wlm.errors import CheckpointError
from wlm.model.lstm import LSTMModel
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint
from wlm.weights.read import read_weights

BOTH_FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


class Net(nn.Module):
    """A language model as many write it, with names and habits of its own."""

    def __init__(self, words=20, inputs=8, hidden=6, layers=2, bias=True, **lstm):
        super().__init__()
        self.embedding = nn.Embedding(words, inputs)
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True, bias=bias, **lstm)
        self.fc = nn.Linear(hidden, words, bias=bias)


class Gated(Net):
    def __init__(self, kind):
        super().__init__()
        self.lstm = kind(8, 6, 2)


def read_it(path, **options):
    """Find a file's weights and read them."""
    found = read_weights(path, **options)
    with torch.random.fork_rng(devices=[]):
        state_dict = LSTMModel(**asdict(found.config)).state_dict()
    found.read_into(state_dict)
    return types.SimpleNamespace(config=found.config, words=found.words, state_dict=state_dict)


@pytest.fixture
def read(tmp_path):
    """Write anything with `torch.save` and read its weights."""

    def read(content, zipped=True, **options):
        path = tmp_path / "weights.pt"
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        return read_it(path, **options)

    return read


@pytest.fixture
def net():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Net()


def assert_same(read, model):
    """The weights are those of an LSTMModel, whatever the model's own names."""
    ours, theirs = read.state_dict, list(model.state_dict().values())
    assert list(ours) == list(read.config.shapes())
    for (key, value), expected in zip(ours.items(), theirs, strict=True):
        assert value.dtype == torch.float32
        assert torch.equal(value, expected.float()), key


@BOTH_FORMATS
def test_a_whole_module_is_read(read, model, zipped):
    found = read(model, zipped)
    assert_same(found, model)
    assert found.words == "from a whole module, wlm.model.lstm.LSTMModel"


@BOTH_FORMATS
@pytest.mark.parametrize("wrap", [list, tuple], ids=["list", "tuple"])
def test_a_module_beside_its_criterion_and_optimizer_is_read(read, model, wrap, zipped):
    model.requires_grad_(True)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(2, 1, dtype=torch.int64), model.init_hidden(1))[0].sum().backward()
    optimizer.step()  # so that it has a state
    found = read(wrap([model, nn.CrossEntropyLoss(), optimizer]), zipped)
    assert_same(found, model)
    assert found.words == "from a whole module, wlm.model.lstm.LSTMModel under '0'"


def test_a_module_in_a_dictionary_and_in_data_parallel_is_read(read, model):
    found = read({"epoch": 3, "model": nn.DataParallel(model)})
    assert_same(found, model)
    assert found.words == (
        "from a whole module, torch.nn.parallel.data_parallel.DataParallel under 'model'; "
        "keys taken without their beginning 'module.'"
    )


@pytest.mark.parametrize(
    "place",
    ["state_dict", "model_state_dict", "model", "net", "weights", "some.other", "ema"],
)
def test_a_state_dict_beside_other_things_is_read(read, model, place):
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    others = {"optimizer": optimizer.state_dict(), "loss": 4.7, "vocab": {"the": 0}, "rng": None}
    others["args"] = argparse.Namespace(cuda=True, data=pathlib.Path("data/wikitext-2"))
    others["best"] = collections.defaultdict(list, {"loss": [5.1, 4.7]})
    found = read({"epoch": 3, **others, place: model.state_dict()})
    assert_same(found, model)
    assert found.words == f"under {place!r}"


def test_the_likeliest_of_several_models_is_read_and_others_must_be_saved_alone(read, model):
    other = {key: value + 1 for key, value in model.state_dict().items()}
    assert_same(read({"ema": other, "model": model.state_dict()}), model)
    with pytest.raises(CheckpointError, match="hold 2 models, under 'best', 'last': save one"):
        read({"best": other, "last": model.state_dict()})


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "model.net.module."]
)
def test_keys_with_a_beginning_of_their_own_are_read(read, model, prefix):
    found = read({f"{prefix}{key}": value for key, value in model.state_dict().items()})
    assert_same(found, model)
    assert found.words == f"keys taken without their beginning {prefix!r}"


def test_tensors_beside_the_model_are_left_out_and_named(read, model):
    weights = {f"model.{key}": value for key, value in model.state_dict().items()}
    found = read({"state_dict": {**weights, "criterion.weight": torch.ones(20)}})
    assert_same(found, model)
    assert found.words.endswith("'model.'; left out: 'criterion.weight'")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numpy_arrays_are_read(read, model, dtype):
    arrays = {key: value.numpy().astype(dtype) for key, value in model.state_dict().items()}
    arrays["decoder.weight"] = numpy.asfortranarray(arrays["decoder.weight"])
    found = read({**arrays, "loss": numpy.float64(4.7)})
    for key, value in found.state_dict.items():
        assert torch.equal(value, torch.tensor(arrays[key]).float()), key


def test_float64_is_rounded_and_that_is_said(read, model):
    double = {key: value.double() / 3 for key, value in model.state_dict().items()}
    found = read(double)
    assert all(torch.equal(found.state_dict[key], double[key].float()) for key in double)
    assert found.words == "rounded from float64 to float32"
    double["decoder.bias"][0] = 1e300
    with pytest.raises(CheckpointError, match=r"decoder\.bias .* must be finite"):
        read(double)


def test_weights_on_another_device_and_views_of_one_storage_are_read(read, model):
    # As cuDNN keeps an LSTM's weights: one after another in one storage.
    flat = torch.cat([value.flatten() for value in model.state_dict().values()])
    views, first = {}, 0
    for key, value in model.state_dict().items():
        views[key] = flat[first : first + value.numel()].view(value.shape)
        first += value.numel()
    views["decoder.weight"] = views["decoder.weight"].t().contiguous().t()
    assert_same(read(views), model)
    assert_same(read(views, zipped=False), model)


def test_tied_weights_are_read_as_save_model_leaves_them(tmp_path):
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(20, 6, 6, 1)
    model.decoder.weight = model.encoder.weight
    safetensors.torch.save_model(model, tmp_path / "tied.safetensors")
    found = read_it(tmp_path / "tied.safetensors")
    assert_same(found, model)
    assert found.words == "tied: 'encoder.weight' is 'decoder.weight'"


def test_layers_that_share_their_weights_are_read(read):
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(3, 16, 16, 6)
    for layer in range(1, 6):
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(model.rnn, f"{kind}_l{layer}", getattr(model.rnn, f"{kind}_l0"))
    assert_same(read(model.state_dict()), model)


def test_a_safetensors_file_of_another_suffix_is_read(tmp_path, model):
    safetensors.torch.save_file(model.state_dict(), tmp_path / "pytorch_model.bin")
    assert_same(read_it(tmp_path / "pytorch_model.bin"), model)


def test_other_names_are_taken_by_shape_and_that_is_said(read, net):
    found = read(net.state_dict())
    assert_same(found, net)
    assert found.words == (
        "'embedding.weight' taken for the embedding, 'lstm.*' for the LSTM, "
        "'fc.weight' and 'fc.bias' for the output layer"
    )


def test_names_and_biases_tell_two_matrices_of_one_shape_apart(read):
    net = Net(inputs=6)
    assert_same(read(net.state_dict()), net)
    weights = {
        key.replace("embedding", "a").replace("fc", "b"): value
        for key, value in net.state_dict().items()
    }
    assert_same(read(weights), net)  # by the bias
    del weights["b.bias"]
    with pytest.raises(CheckpointError, match=r"could be any of 'a\.weight', 'b\.weight'; "):
        read(weights)
    weights["b.weight"] = weights["a.weight"]  # tied: either will do
    assert torch.equal(read(weights).state_dict["encoder.weight"], net.embedding.weight)


def test_missing_biases_are_zeros(read, vocabulary):
    net = Net(bias=False)
    found = read(net.state_dict())
    biases = [value for key, value in found.state_dict.items() if "bias" in key]
    assert len(biases) == 5 and not any(bias.any() for bias in biases)
    assert found.words.endswith("no biases in the LSTM and the output layer, so zeros")
    net = Net()
    net.fc = nn.Linear(6, 20, bias=False)
    assert read(net.state_dict()).words.endswith("; no biases in the output layer, so zeros")


def test_layers_that_are_modules_of_their_own_are_one_lstm(read, model):
    weights = {}
    for key, value in model.state_dict().items():
        stem, _, layer = key.partition("_l")
        key = f"rnns.{layer}.module.{stem.removeprefix('rnn.')}_l0" if layer else key
        if "weight_hh" in key:  # as dropped weights are kept, beside what dropping left
            weights[f"{key}_raw"], value = value, value * 0
        weights[key] = value
    found = read(weights)
    for key, value in model.state_dict().items():
        assert torch.equal(found.state_dict[key], value), key
    assert "'rnns.0.module.*' and 'rnns.1.module.*' for the LSTM" in found.words


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gated(nn.GRU), "a GRU's .*: train a one-directional nn.LSTM"),
        (lambda: Gated(nn.RNN), "a plain RNN's .*: train a one-directional nn.LSTM"),
        (lambda: Net(bidirectional=True), "a bidirectional LSTM's"),
        (lambda: Net(proj_size=3), "an LSTM's with proj_size, .*proj_size=0"),
        (lambda: nn.TransformerEncoderLayer(8, 2), "a Transformer's; only LSTM"),
        (lambda: nn.ModuleList([nn.Embedding(20, 8), nn.LSTMCell(8, 6)]), "of LSTM cells called"),
        (lambda: nn.ModuleList([nn.Embedding(20, 8), nn.Linear(8, 20)]), "they have no LSTM"),
        (lambda: nn.ModuleList([Net().lstm, Net().lstm]), "no embedding"),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["module", "state_dict"])
def test_what_cannot_run_here_is_called_by_its_name(read, make, message, whole):
    made = make()
    with pytest.raises(CheckpointError, match=rf"the weights '.*weights\.pt' .*{message}"):
        read(made if whole else made.state_dict())


def test_two_lstms_that_are_no_stack_are_refused(read, net):
    weights = {
        **net.state_dict(),
        **{f"x.{key}": value for key, value in Net().state_dict().items()},
    }
    with pytest.raises(CheckpointError, match=r"several LSTMs, 'lstm\.', 'x\.lstm\.', whose"):
        read(weights)


def test_layers_of_different_sizes_are_refused(read):
    weights = {**Net(hidden=6, layers=1).state_dict()}
    second = nn.LSTM(6, 8, 1).state_dict()
    weights = {key.replace("lstm", "rnns.0"): weight for key, weight in weights.items()}
    weights.update({f"rnns.1.{key}": value for key, value in second.items()})
    with pytest.raises(CheckpointError, match="equally many hidden units, got 6, 8"):
        read(weights)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kinds", [{nn.LSTM, nn.Linear}, {nn.Linear}, {nn.LSTM}])
def test_whole_quantized_modules_are_refused_as_such(read, model, kinds):
    quantized = torch.ao.quantization.quantize_dynamic(model, kinds)
    with pytest.raises(CheckpointError, match=r"already quantized, .*: give the state_dict of the"):
        read(quantized)


@pytest.mark.filterwarnings("ignore")
def test_files_of_other_kinds_are_called_by_their_names(tmp_path, model):
    path = tmp_path / "weights.pt"

    def refused(message):
        with pytest.raises(CheckpointError, match=rf"weights\.pt' are {message}"):
            read_it(path)

    torch.jit.script(nn.Linear(2, 2)).save(path)
    refused("TorchScript: save its weights alone")
    path.write_bytes(pickle.dumps({"a": 1}, protocol=4))
    refused("a pickle, which wlm never unpickles")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/weights.pt", b"x")
    refused("a zip archive that torch.save did not write")
    for content, message in (
        (b"GGUF\x03\0\0\0", "a GGUF file of llama.cpp"),
        (b"\x08\x08\x12\x07pytorch\x1a\x052.7.0", "an ONNX file, which wlm does not read"),
        (b"\x1f\x8b\x08\0", "compressed by gzip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"<!DOCTYPE html>", "a web page: download the file itself"),
        ("naïve words\n".encode() * 200, "a text: give weights"),
        (b"a" + "ï".encode() * 1_000, "a text: give weights"),  # read to within a character
        ("naïve words\n".encode("latin1"), "damaged or no PyTorch file"),
        (bytes(257) + b"ustar", "a tar archive: give the file inside"),
    ):
        path.write_bytes(content)
        refused(message)


@BOTH_FORMATS
@pytest.mark.parametrize("protocol", [2, 4])
def test_of_a_file_whose_unpickling_calls_anything_only_the_weights_are_read(
    tmp_path, model, zipped, protocol
):
    trace, path = tmp_path / "trace", tmp_path / "weights.pt"
    model.extra = Malicious(trace)
    torch.save(model, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    assert_same(read_it(path), model)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the file is as dangerous as it is meant to be
    assert trace.exists()


@BOTH_FORMATS
def test_weights_that_only_a_call_could_make_are_refused(tmp_path, read, model, zipped):
    trace = tmp_path / "trace"
    with pytest.raises(CheckpointError, match=r"must be a state_dict .*, got (posix|nt)\.mkdir wi"):
        read(Malicious(trace), zipped)
    weights = {**model.state_dict(), "decoder.bias": Malicious(trace)}
    with pytest.raises(CheckpointError, match=r"must be a plain tensor, got (posix|nt)\.mkdir"):
        read(weights, zipped)
    assert not trace.exists()


def test_no_class_of_a_file_is_imported(tmp_path, read, model, monkeypatch):
    module = types.ModuleType("theirs")
    module.Net = type("Net", (LSTMModel,), {"__module__": "theirs"})
    monkeypatch.setitem(__import__("sys").modules, "theirs", module)
    model.__class__ = module.Net
    path = tmp_path / "weights.pt"
    torch.save(model, path)
    monkeypatch.delitem(__import__("sys").modules, "theirs")
    (tmp_path / "theirs.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert read_it(path).words == "from a whole module, theirs.Net"
    assert not (tmp_path / "trace").exists()


@BOTH_FORMATS
def test_claims_of_more_numbers_than_the_file_holds_are_refused(read, model, zipped, tmp_path):
    weights = model.state_dict()
    wide = {**weights, "decoder.bias": torch.zeros(1).expand(20)}
    with pytest.raises(CheckpointError, match="claim"):
        read(wide, zipped)
    # The pickle says that a storage has a thousand times as many numbers as follow.
    path = tmp_path / "weights.pt"
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    claim = b"J" + (120_000).to_bytes(4, "little")
    content, changed = re.subn(rb"K\x78(N?t)", rb"%s\1" % claim, path.read_bytes())
    assert changed
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_it(path)


@BOTH_FORMATS
def test_more_weights_than_allowed_are_refused(read, model, zipped):
    with pytest.raises(CheckpointError, match="must have at most 100 weights, got 1,020"):
        read(model, zipped, most_weights=100)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9, 0.99])
@BOTH_FORMATS
def test_a_truncated_module_is_refused(tmp_path, model, kept, zipped):
    path = tmp_path / "weights.pt"
    torch.save(model, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match="are damaged or no PyTorch file"):
        read_it(path)


def test_pipes_devices_folders_and_sparse_files_are_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    with (tmp_path / "sparse.pt").open("wb") as file:
        file.truncate(20_000_000_000)
    for path, message in (
        (tmp_path / "pipe.pt", "it is a pipe, not a file"),
        ("/dev/zero", "it is a device, not a file"),
        (tmp_path / "sparse.pt", "it must have at most 8,000,000,000 bytes, got 20,000,000,000"),
    ):
        with pytest.raises(CheckpointError, match=f"cannot be read: {message}"):
            load_checkpoint(path, vocabulary="words.txt")


def test_a_model_folder_keeps_how_its_weights_were_read(tmp_path, model, vocabulary):
    said = "from a whole module, model.RNNModel"
    save_checkpoint(tmp_path / "kept", model, vocabulary, {"weights_read": said})
    assert load_checkpoint(tmp_path / "kept").weights_read == said


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["model.pt", "vocab.txt"],
            "give the weights file 'model.pt' in the folder, with the vocabulary file 'vocab.txt' "
            r"\(--vocabulary\)",
        ),
        (
            ["pytorch_model.bin", "config.json"],
            "give the weights file 'pytorch_model.bin' in the folder, with the file of its vocab",
        ),
        (["a.pt", "b.pth"], "give the weights file 'a.pt, b.pth' in the folder"),
        (
            ["model-00001-of-00002.safetensors", "model.safetensors.index.json"],
            "it holds a model in several files, such as 'model-00001-of-00002.safetensors': put",
        ),
        (["readme.txt"], "give a model folder, or a file of weights"),
        ([], "give a model folder, or a file of weights"),
    ],
)
def test_a_folder_without_a_card_is_refused_with_what_to_give(tmp_path, files, message):
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CheckpointError, match=rf"there is no file '.*card\.json'.*: {message}"):
        load_checkpoint(tmp_path)


def test_a_part_of_a_model_in_several_files_is_called_so(tmp_path, model):
    path = tmp_path / "model-00002-of-00002.safetensors"
    safetensors.torch.save_file(model.state_dict(), path)
    with pytest.raises(CheckpointError, match="are one part of several files: put all parts into"):
        read_weights(path)
    whole = path.rename(tmp_path / "model-00001-of-00001.safetensors")
    assert_same(read_it(whole), model)
    index = tmp_path / "weights.bin"
    index.write_text('{"metadata": {}, "weight_map": {"decoder.bias": "a.safetensors"}}')
    with pytest.raises(CheckpointError, match="are the index of a model in several files"):
        read_weights(index)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["m/archive_format", "m/models/model.json"], "an exported program of torch.export: save"),
        (["serialized_exported_program.json"], "an exported program of torch.export: save its"),
        (["metadata.json", "config.json", "model.weights.h5"], "a Keras file: give PyTorch's"),
    ],
)
def test_archives_of_other_programs_are_called_by_their_names(tmp_path, names, message):
    with zipfile.ZipFile(tmp_path / "weights.bin", "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    with pytest.raises(CheckpointError, match=rf"weights\.bin' are {message}"):
        read_weights(tmp_path / "weights.bin")
