"""Quantized weights that come from elsewhere: read as data, taken as they are, or refused."""

import io
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from test_checkpoint import Malicious
from test_foreign import Net
from test_torch_file import Call
from torch import nn

from wlm.errors import CheckpointError
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint
from wlm.weights.integers import as_arrays
from wlm.weights.read import read_weights

INT8 = Variant.parse("int8")
ORT_INT8 = Variant.parse("onnxruntime:lstm=int8,linear=int8,embedding=int8")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def load(tmp_path, vocabulary):
    """Load bare weights of bytes, of what `torch.save` writes, or of named arrays."""
    vocabulary.save(tmp_path / "words.txt")

    def load(content, name="weights.pt"):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif name.endswith(".npz"):
            np.savez(path, **content)
        elif name.endswith(".safetensors"):
            safetensors.torch.save_file({key: torch.tensor(v) for key, v in content.items()}, path)
        else:
            torch.save(content, path)
        return load_checkpoint(path, vocabulary=tmp_path / "words.txt")

    return load


@pytest.fixture
def floats(model) -> dict[str, np.ndarray]:
    """The tiny model's fp32 weights as NumPy arrays."""
    return {name: value.numpy() for name, value in model.state_dict().items()}


@pytest.fixture
def arrays(model) -> dict[str, np.ndarray]:
    """The tiny model's int8 variant as NumPy arrays."""
    prepared = prepare(model, INT8)
    numbers = as_arrays(prepared.numbers())
    return {name: number.numpy() for name, number in numbers.items()}


def logits_of(model, variant) -> torch.Tensor:
    prepared = prepare(model, variant)
    with torch.inference_mode():
        return prepared(torch.arange(20).view(10, 2), prepared.init_hidden(2))[0]


def quantized(model, *kinds) -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(model, set(kinds))


def in_words(module) -> nn.Module:
    """The logits of a module of other names, one text at a time."""

    def call(ids):
        output, _ = module.lstm(module.embedding(ids))
        return module.fc(output)

    return call


@pytest.mark.parametrize("kinds", [(nn.LSTM, nn.Linear), (nn.LSTM,), (nn.Linear,)])
def test_a_state_dict_of_quantize_dynamic_runs_as_that_module_does(load, kinds):
    torch.manual_seed(1)
    theirs = quantized(Net().eval(), *kinds)
    loaded = load({"epoch": 3, "state_dict": theirs.state_dict()})
    parts = {nn.LSTM: "lstm=int8", nn.Linear: "linear=int8"}
    name = f"pytorch:{','.join(parts[kind] for kind in kinds)}"
    variant = Variant.parse(name)
    assert "'embedding.weight' taken for the embedding" in loaded.weights_read
    assert loaded.weights_read.endswith(f"already quantized, imported as {name}")
    ids = torch.arange(20).view(1, 20)
    with torch.inference_mode():
        expected = in_words(theirs)(ids)
        prepared = prepare(loaded.model, variant)
        got, _ = prepared(ids.T, prepared.init_hidden(1))
    assert torch.equal(got, expected.transpose(0, 1))


def test_of_a_quantized_file_nothing_is_run(load, model, tmp_path):
    trace = tmp_path / "trace"
    state_dict = quantized(model, nn.LSTM, nn.Linear).state_dict()
    expected = load(state_dict).model.imported
    got = load({**state_dict, "extra": Malicious(trace)}).model.imported
    assert got.variant == expected.variant
    assert got.matrices.keys() == expected.matrices.keys()
    for key, matrix in expected.matrices.items():
        assert torch.equal(got.matrices[key].int_repr(), matrix.int_repr()), key
    assert not trace.exists()
    key = "rnn._all_weight_values.0.param"
    with pytest.raises(CheckpointError, match="already quantized, in a form that cannot be read"):
        load({**state_dict, key: Malicious(trace)})
    assert not trace.exists()


def rebuilt(weight, quantizer):
    function, (storage, first, size, stride, _, *others) = weight.__reduce_ex__(2)
    return Call(function, storage, first, size, stride, quantizer, *others)


def by_row(weight, count, axis=0):
    scales, zeros = torch.ones(count, dtype=torch.float64), torch.zeros(count, dtype=torch.int64)
    return rebuilt(weight, (torch.per_channel_affine, scales, zeros, axis))


IN_NO_FORM = "already quantized, in a form that cannot be read: give the state_dict"


@pytest.mark.parametrize(
    "key, made, message",
    [
        ("rnn._all_weight_values.0.param", lambda _: 5, IN_NO_FORM),
        ("rnn._all_weight_values.0.param", lambda _: Call(slice, 1, 2, 3), IN_NO_FORM),
        ("decoder._packed_params._packed_params", lambda _: (1, 2), IN_NO_FORM),
        ("decoder._packed_params._packed_params", lambda value: (value[0], 2), IN_NO_FORM),
        (
            "decoder._packed_params._packed_params",
            lambda value: (by_row(value[0], 6, axis=1), value[1]),
            IN_NO_FORM,
        ),
        (
            "decoder._packed_params._packed_params",
            lambda value: (rebuilt(value[0], (torch.per_tensor_affine, "1", 0)), value[1]),
            IN_NO_FORM,
        ),
        (
            "decoder._packed_params._packed_params",
            lambda value: (rebuilt(value[0], (torch.per_channel_affine, 1.0, 0, 1)), value[1]),
            IN_NO_FORM,
        ),
        (
            "decoder._packed_params._packed_params",
            lambda value: (by_row(value[0], 0), value[1]),
            "20x6 integers must have 20 positive scales .*, got 0 and 0",
        ),
    ],
)
def test_packed_weights_that_are_none_are_refused(load, model, key, made, message):
    state_dict = quantized(model, nn.LSTM, nn.Linear).state_dict()
    with pytest.raises(CheckpointError, match=message):
        load({**state_dict, key: made(state_dict[key])})


def test_a_quantized_gru_is_called_a_gru(load):
    theirs = Net()
    theirs.lstm = nn.GRU(8, 6, 2)
    with pytest.raises(CheckpointError, match="a GRU's"):
        load(quantized(theirs.eval(), nn.GRU, nn.Linear).state_dict())


def test_a_model_folder_keeps_what_came_quantized_as_it_came(tmp_path, load, model, vocabulary):
    loaded = load(quantized(model, nn.LSTM, nn.Linear).state_dict())
    save_checkpoint(tmp_path / "kept", loaded.model, vocabulary, dtype=torch.float32)
    again = load_checkpoint(tmp_path / "kept")
    assert again.model.imported.variant == "pytorch:lstm=int8,linear=int8"
    assert torch.equal(logits_of(again.model, INT8), logits_of(model, INT8))
    stored = safetensors.torch.load_file(tmp_path / "kept" / "model.safetensors")
    assert stored["rnn.weight_ih_l0"].dtype == torch.int8


@pytest.mark.parametrize(
    "change, message",
    [
        ({"decoder.weight.scale": np.float32(0)}, "1 positive scales"),
        ({"decoder.weight.scale": np.float32("nan")}, "1 positive scales"),
        ({"decoder.weight.zero_point": np.int16(300)}, "in the integers' range"),
        ({"decoder.weight.scale": np.ones((3, 1), np.float32)}, "20 positive scales"),
        ({"rnn.bias_ih_l0": np.full(24, np.inf, np.float32)}, "must be finite"),
        ({"rnn.weight_hh_l0": np.ones((24, 6), np.float32)}, "unknown 'rnn.weight_hh_l0.scale'"),
        ({"decoder.weight": np.ones((20, 5), np.int8)}, "must have the shape"),
        (
            {
                "rnn.weight_hh_l0.scale": np.ones((24, 1), np.float32),
                "rnn.weight_hh_l0.zero_point": np.zeros((24, 1), np.int16),
            },
            "lstm's matrices must be of one kind",
        ),
    ],
)
def test_numbers_that_cannot_be_a_models_are_refused(load, arrays, change, message):
    load(arrays, "weights.safetensors")
    with pytest.raises(CheckpointError, match=message):
        load({**arrays, **change}, "weights.safetensors")


def test_an_npz_file_is_read_without_trusting_what_it_claims(load, floats):
    def refused(content, message):
        with pytest.raises(CheckpointError, match=message):
            load(content, "weights.npz")

    file = io.BytesIO()
    np.savez_compressed(file, **floats)
    refused(file.getvalue(), "compressed: save it with numpy.savez")
    header = io.BytesIO()
    claim = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 10)}
    np.lib.format.write_array_header_1_0(header, claim)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", header.getvalue() + b"1234")
    refused(file.getvalue(), "has 4 bytes for a shape of")
    file = io.BytesIO()
    np.savez(file, **{str(i): np.zeros(0) for i in range(1_001)})
    refused(file.getvalue(), "must have at most 1,000 arrays, got 1,001")
    file = io.BytesIO()
    np.savez(file, a=np.array([object()]), allow_pickle=True)
    refused(file.getvalue(), "no tensors|bytes for a shape")
    refused(file.getvalue()[:100], "damaged")


def test_arrays_in_fortrans_order_and_others_next_to_them_are_read(load, floats, model):
    fortran = np.asfortranarray(floats["decoder.weight"])
    loaded = load({**floats, "decoder.weight": fortran, "steps": np.int32(3)}, "weights.npz").model
    assert torch.equal(logits_of(loaded, Variant()), logits_of(model, Variant()))


@pytest.mark.parametrize(
    "zero_point", [torch.zeros((20, 1)), torch.zeros((20, 1), dtype=torch.int8)]
)
def test_8_bit_floats_are_not_taken_for_integers(load, model, zero_point):
    weights = model.state_dict()
    weights["decoder.weight"] = weights["decoder.weight"].to(torch.float8_e4m3fn)
    beside = {".scale": torch.ones((20, 1)), ".zero_point": zero_point}
    weights.update({f"decoder.weight{end}": value for end, value in beside.items()})
    content = safetensors.torch.save(weights)
    with pytest.raises(CheckpointError, match=r"unknown 'decoder\.weight\.scale'"):
        load(content, "weights.safetensors")


@pytest.mark.parametrize("name", ["weights.npz", "weights.safetensors"])
@pytest.mark.parametrize(
    "change, message",
    [
        (None, ""),
        (
            lambda value: value.astype(np.int16),
            "(it changed while it was read|Bad)",
        ),
        (lambda value: np.ones((6, 20), np.int8), "(it changed while it was read|Bad CRC-32)"),
    ],
    ids=["cut", "another dtype", "another shape"],
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path, model, arrays, floats, name, change, message
):
    path = tmp_path / name
    arrays = floats if name.endswith(".npz") else arrays

    def write(arrays):
        if name.endswith(".npz"):
            np.savez(path, **arrays)
        else:
            tensors = {key: torch.tensor(array) for key, array in arrays.items()}
            safetensors.torch.save_file(tensors, path)

    write(arrays)
    found = read_weights(path)
    if change:
        write({**arrays, "decoder.weight": change(arrays["decoder.weight"])})
    else:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=rf"the weights '.*{name}' are damaged .*{message}"):
        found.read_into(model.state_dict())


def test_an_onnx_file_is_named_with_what_to_give_instead(load, model):
    for content in (prepare(model, ORT_INT8).content, b"\x08\x08\x12\0\0\0"):
        with pytest.raises(CheckpointError, match="an ONNX file, which wlm does not read"):
            load(content, "weights.onnx")


def test_an_npz_file_of_integers_is_named_with_what_to_give_instead(load, arrays):
    with pytest.raises(CheckpointError, match=r"hold integers with scales, .* give the weights"):
        load(arrays, "weights.npz")


def test_integers_of_onnx_runtime_that_were_kept_are_no_longer_run(load, arrays):
    content = {name: torch.tensor(array) for name, array in arrays.items()}
    content = safetensors.torch.save(content, {"variant": str(ORT_INT8)})
    with pytest.raises(CheckpointError, match="ONNX Runtime's integers, which wlm no longer"):
        load(content, "weights.safetensors")
