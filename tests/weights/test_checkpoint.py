"""Model folders and bare weights: what is saved loads, and nothing else does."""

import json
import os
import pickle
import re
import struct
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from helpers.tiny import WORDS
from wlm.errors import CheckpointError, TextError
from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint
from wlm.weights.read import read_weights

DTYPES = [torch.float32, torch.float16, torch.bfloat16]


@pytest.fixture
def vocabulary_file(tmp_path, vocabulary):
    vocabulary.save(tmp_path / "words.txt")
    return tmp_path / "words.txt"


@pytest.fixture
def load_saved(tmp_path, vocabulary_file):
    """Write anything with `torch.save` and load it as bare weights."""

    def load(content, name="weights.pth", **options):
        torch.save(content, tmp_path / name, **options)
        return load_checkpoint(tmp_path / name, vocabulary=vocabulary_file)

    return load


@pytest.fixture
def card(model_folder):
    """The tiny model's card; `edit` changes it in the folder."""

    class Card:
        path = model_folder / "card.json"
        content = json.loads(path.read_text("utf-8"))

        def edit(self, **changes):
            content = {**self.content, **changes}
            kept = {key: value for key, value in content.items() if value is not None}
            self.path.write_text(json.dumps(kept), "utf-8")

    return Card()


def assert_same_weights(model, expected):
    assert list(model.state_dict()) == list(expected)
    for key, value in model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, expected[key].to(torch.float32)), key


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_folder_round_trips(tmp_path, model, vocabulary, dtype):
    save_checkpoint(tmp_path / "tiny", model, vocabulary, {"trained_on": "rivers"}, dtype=dtype)
    loaded = load_checkpoint(tmp_path / "tiny")
    stored = {key: value.to(dtype) for key, value in model.state_dict().items()}
    assert_same_weights(loaded.model, stored)
    assert loaded.vocabulary.words == vocabulary.words
    assert loaded.name == loaded.card["name"] == "tiny"
    assert loaded.card["trained_on"] == "rivers"
    assert loaded.card["stored_dtype"] == str(dtype).removeprefix("torch.")
    weights = safetensors.torch.load_file(tmp_path / "tiny" / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {dtype}


def test_weights_are_saved_in_half_precision_unless_told_otherwise(tmp_path, model, vocabulary):
    save_checkpoint(tmp_path / "tiny", model, vocabulary)
    assert load_checkpoint(tmp_path / "tiny").card["stored_dtype"] == "float16"


def test_a_loaded_model_is_ready_to_evaluate(model_folder, model):
    loaded = load_checkpoint(model_folder).model
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    words, hidden = torch.arange(20).view(10, 2), model.init_hidden(2)
    assert torch.equal(loaded(words, hidden)[0], model(words, hidden)[0])


def test_all_sizes_of_a_model_round_trip(tmp_path, vocabulary):
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(20, 3, 4, 5, dropout=0.2)
    save_checkpoint(tmp_path / "tiny", model, vocabulary)
    assert load_checkpoint(tmp_path / "tiny").model.config == model.config


def test_a_folder_holds_three_files_and_has_its_own_name(tmp_path, model, vocabulary, monkeypatch):
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path / "tiny")
    save_checkpoint(".", model, vocabulary)
    files = {path.name for path in (tmp_path / "tiny").iterdir()}
    assert files == {"model.safetensors", "vocab.txt", "card.json"}
    loaded = load_checkpoint(".")
    assert loaded.name == loaded.card["name"] == "tiny"


def test_a_folder_can_be_saved_again(model_folder, model, vocabulary):
    model.decoder.bias.add_(1.0)
    save_checkpoint(model_folder, model, vocabulary, dtype=torch.float32)
    assert_same_weights(load_checkpoint(model_folder).model, model.state_dict())


def test_a_model_is_not_saved_with_a_vocabulary_of_another_size(tmp_path, model):
    message = "the vocabulary must have 20 words, got 2"
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(tmp_path / "tiny", model, Vocabulary(["the", "<unk>"]))
    assert not (tmp_path / "tiny").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_quantized_model_is_not_saved_as_if_it_were_none(tmp_path, model, vocabulary):
    quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear})
    with pytest.raises(CheckpointError, match="only an fp32 LSTMModel can be saved, not a quanti"):
        save_checkpoint(tmp_path / "tiny", quantized, vocabulary)
    assert not (tmp_path / "tiny").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, model, vocabulary):
    (tmp_path / "file").write_text("not a folder", "utf-8")
    with pytest.raises(CheckpointError, match=r"cannot be written to '.*file.tiny': .*Not a dir"):
        save_checkpoint(tmp_path / "file" / "tiny", model, vocabulary)


def test_weights_too_large_for_their_dtype_are_not_saved(tmp_path, model, vocabulary):
    model.decoder.bias[3] = 1e6
    with pytest.raises(CheckpointError, match=r"decoder\.bias .*float16"):
        save_checkpoint(tmp_path / "tiny", model, vocabulary, dtype=torch.float16)
    assert not (tmp_path / "tiny").exists()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_bare_pth_file_loads(load_saved, model, vocabulary, dtype, zipped):
    stored = {key: value.to(dtype) for key, value in model.state_dict().items()}
    loaded = load_saved(stored, _use_new_zipfile_serialization=zipped)
    assert_same_weights(loaded.model, stored)
    assert (loaded.name, loaded.card) == ("weights", {})
    assert loaded.vocabulary.words == vocabulary.words


def test_trainable_parameters_in_a_pth_file_load_as_plain_weights(load_saved, model):
    parameters = dict(model.requires_grad_(True).named_parameters())
    loaded = load_saved(parameters).model
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert_same_weights(loaded, model.state_dict())


def test_weights_that_share_their_storage_load(tmp_path):
    # As tied weights do (pytorch/examples, word_language_model, --tied): the file has them once.
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(2_000, 8, 8, 1)
    model.decoder.weight = model.encoder.weight
    Vocabulary(f"w{i}" for i in range(2_000)).save(tmp_path / "words.txt")
    torch.save(model.state_dict(), tmp_path / "tied.pth")
    loaded = load_checkpoint(tmp_path / "tied.pth", vocabulary=tmp_path / "words.txt")
    assert_same_weights(loaded.model, model.state_dict())


def test_a_bare_safetensors_file_loads(model_folder, model):
    weights = model_folder / "model.safetensors"
    loaded = load_checkpoint(weights, vocabulary=model_folder / "vocab.txt")
    assert_same_weights(loaded.model, model.state_dict())
    assert (loaded.name, loaded.card) == ("model", {})


def test_bare_weights_load_with_the_corpus_they_were_trained_on(tmp_path, model_folder):
    splits = {"train": WORDS[1:8], "valid": WORDS[8:12], "test": WORDS[12:]}
    for name, words in splits.items():
        (tmp_path / f"{name}.txt").write_text(" ".join(words), "utf-8")
    loaded = load_checkpoint(model_folder / "model.safetensors", corpus=tmp_path)
    assert loaded.vocabulary.words == [*WORDS[1:8], "<eos>", *WORDS[8:]]


def test_a_folders_vocabulary_may_be_replaced(tmp_path, model_folder):
    Vocabulary(reversed(WORDS)).save(tmp_path / "other.txt")
    loaded = load_checkpoint(model_folder, vocabulary=tmp_path / "other.txt")
    assert loaded.vocabulary.words == WORDS[::-1]


def test_a_file_that_changes_does_not_change_the_model_loaded_from_it(load_saved, tmp_path, model):
    loaded = load_saved(model.state_dict()).model
    path = tmp_path / "weights.pth"
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    assert_same_weights(loaded, model.state_dict())


@pytest.mark.parametrize("both", [True, False])
def test_bare_weights_need_either_a_vocabulary_or_a_corpus(model_folder, both):
    given = {"vocabulary": model_folder / "vocab.txt", "corpus": model_folder} if both else {}
    message = r"'.*model\.safetensors' stand alone: give either the vocabulary file or the corpus"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model_folder / "model.safetensors", **given)


@pytest.mark.parametrize("name", ["absent", "absent.pth", "absent.safetensors"])
@pytest.mark.parametrize("with_vocabulary", [True, False])
def test_missing_weights_are_named(tmp_path, vocabulary_file, name, with_vocabulary):
    given = {"vocabulary": vocabulary_file} if with_vocabulary else {}
    message = f"there is no file {str(tmp_path / name)!r}"
    with pytest.raises(CheckpointError, match=re.escape(message)):
        load_checkpoint(tmp_path / name, **given)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("card.json", CheckpointError),
        ("model.safetensors", CheckpointError),
        ("vocab.txt", TextError),
    ],
)
def test_a_folder_without_one_of_its_files_is_refused(model_folder, name, error):
    (model_folder / name).unlink()
    with pytest.raises(error, match=rf"there is no .*file '.*{re.escape(name)}'"):
        load_checkpoint(model_folder)


def test_a_folder_whose_weights_are_not_those_of_the_card_is_refused(model_folder, card):
    weights = model_folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    message = (
        r"'.*model\.safetensors' are damaged or not those of the card: "
        rf"their sha256 must be {card.content['sha256'][:12]}…, got [0-9a-f]{{12}}…"
    )
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model_folder)


def test_a_card_need_not_have_a_hash(card, model, model_folder):
    card.edit(sha256=None)
    assert_same_weights(load_checkpoint(model_folder).model, model.state_dict())


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "vocab.txt", 7, None])
def test_a_card_cannot_name_any_other_file_as_its_weights(card, model_folder, name):
    card.path.write_text(json.dumps({**card.content, "weights_file": name}), "utf-8")
    message = rf"weights_file must be one of model\.safetensors, .*, got '{re.escape(str(name))}'"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model_folder)


def zip_of(folder: Path, **others: bytes) -> bytes:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
        for name, content in others.items():
            archive.writestr(name, content)
    return path.read_bytes()


def with_flag(content: bytes, mask: int) -> bytes:
    """An archive with a bit set in the flags of its first entry, in both of its headers."""
    changed = bytearray(content)
    for place in (6, content.index(b"PK\1\2") + 8):
        changed[place] |= mask
    return bytes(changed)


def of_disks(content: bytes) -> bytes:
    """An archive that says that it goes over several disks, as old ones did."""
    end = content.rindex(b"PK\5\6")
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 9)
    return content[:end] + locator + content[end:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: with_flag(zip_of(folder), 1), "the archive .*: File '?.*encrypted"),
        (
            lambda folder: zip_of(folder, **dict.fromkeys(map(str, range(20)), b"")),
            "the archive '.*' cannot be read: it must have at most 20 files, got 23",
        ),
        (lambda folder: zip_of(folder)[:-30], "the weights '.*' are damaged or no PyTorch file"),
        (lambda folder: of_disks(zip_of(folder)), "the weights '.*' are damaged or no PyTorch"),
    ],
    ids=["encrypted", "many files", "cut", "of several disks"],
)
def test_an_archive_that_cannot_be_read_is_refused(
    tmp_path, model_folder, vocabulary_file, change, message
):
    path = tmp_path / "model.zip"
    path.write_bytes(change(model_folder))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, vocabulary=vocabulary_file)


SIZES = {"class": "LSTMModel", "ntoken": 20, "ninp": 8, "nhid": 6, "nlayers": 2}


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (None, "must be an object with an 'architecture'"),
        ([20, 8, 6, 2], "must be an object with an 'architecture'"),
        ({}, "gives no usable model: its architecture must have the sizes ntoken"),
        ({**SIZES, "tied": True}, "must have the sizes ntoken, .*; got ntoken, .*tied"),
        ({**SIZES, "ntoken": 10**12}, "ntoken must be .* from 2 to 1,000,000, got 1,000,000,000,"),
        ({**SIZES, "ntoken": 10**399}, "ntoken must be .* from 2 to 1,000,000, got 1,000,"),
        ({**SIZES, "nhid": -6}, "nhid must be a whole number from 1 to 8,192, got -6"),
        ({**SIZES, "ninp": "8"}, "ninp must be a number, got '8'"),
        ({**SIZES, "nlayers": 2.0}, "nlayers must be a whole number from 1 to 32, got 2.0"),
        ({**SIZES, "nlayers": 10**6}, "nlayers must be .* from 1 to 32, got 1,000,000"),
        ({**SIZES, "dropout": float("nan")}, "dropout must be .* from 0.0 to 1.0, got nan"),
    ],
)
def test_a_card_that_describes_no_model_is_refused(card, model_folder, architecture, message):
    card.edit(architecture=architecture)
    with pytest.raises(CheckpointError, match=rf"the card '.*card\.json' .*{message}"):
        load_checkpoint(model_folder)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({**SIZES, "nlayers": 3}, r"must have 3 LSTM layers, got 2"),
        ({**SIZES, "nlayers": 1}, r"must have 1 LSTM layers, got 2"),
        ({**SIZES, "ntoken": 21}, r"encoder\.weight .* the shape \(21, 8\), got \(20, 8\)"),
        ({**SIZES, "nhid": 5}, r"rnn\.weight_ih_l0 .* the shape \(20, 8\), got \(24, 8\)"),
    ],
)
def test_weights_of_another_architecture_than_the_cards_are_refused(
    card, model_folder, architecture, message
):
    card.edit(architecture=architecture)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model_folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read: Expecting value"),
        (b"{'name': 'tiny'}", "cannot be read: Expecting property name"),
        (b"\xff\xfe", "cannot be read: .*utf-8"),
        (b"[" * 100_000, "cannot be read: it is nested too deep"),
        (
            b'{"architecture": {}}' + b" " * 1_000_000,
            "cannot be read: .* at most 1,000,000",
        ),
        (b"[]", "must be an object with an 'architecture'"),
        (b"7", "must be an object with an 'architecture'"),
    ],
    ids=["empty", "no JSON", "no UTF-8", "too deep", "too large", "a list", "a number"],
)
def test_a_card_that_is_no_json_object_is_refused(model_folder, content, message):
    (model_folder / "card.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"the card '.*card\.json' {message}"):
        load_checkpoint(model_folder)


@pytest.mark.parametrize("count", [19, 21])
def test_a_vocabulary_of_another_length_than_the_model_is_refused(model_folder, count):
    words = [*WORDS, "lake"][:count]
    Vocabulary(words).save(model_folder / "vocab.txt")
    message = f"the vocabulary must have as many words as the model, 20, got {count}"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model_folder)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_truncated_weights_are_refused(tmp_path, model, vocabulary_file, suffix, kept):
    path = tmp_path / f"weights{suffix}"
    save = torch.save if suffix == ".pth" else safetensors.torch.save_file
    save(model.state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match=rf"the weights '.*weights\{suffix}' are damaged or"):
        load_checkpoint(path, vocabulary=vocabulary_file)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text.pth", r"the weights '.*text\.pth' "),
        ("text", r"the weights '.*text' "),
        ("text.safetensors", r"text\.safetensors' are damaged or no safetensors file: "),
    ],
)
def test_a_text_posing_as_weights_is_refused(text_file, vocabulary_file, name, message):
    path = text_file.rename(text_file.with_name(name))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, vocabulary=vocabulary_file)


def test_a_pickle_posing_as_safetensors_is_refused(load_saved, model):
    with pytest.raises(CheckpointError, match=r"weights\.safetensors' are damaged or no safetens"):
        load_saved(model.state_dict(), "weights.safetensors")


class Malicious:
    """Runs a shell command when it is unpickled: it makes a folder."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def save_zip(content, path):
    torch.save(content, path)


def save_legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def save_pickle(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize(
    ("save", "read"),
    [
        (save_zip, lambda path: torch.load(path, weights_only=False)),
        (save_legacy, lambda path: torch.load(path, weights_only=False)),
        (save_pickle, lambda path: pickle.loads(path.read_bytes())),
    ],
)
def test_code_in_a_weights_file_is_never_run(tmp_path, model, vocabulary_file, save, read):
    trace, path = tmp_path / "trace", tmp_path / "weights.pth"
    save({**model.state_dict(), "extra": Malicious(trace)}, path)
    if save is save_pickle:
        with pytest.raises(CheckpointError, match=r"weights\.pth' are a pickle, which wlm never"):
            load_checkpoint(path, vocabulary=vocabulary_file)
    else:
        loaded = load_checkpoint(path, vocabulary=vocabulary_file).model.state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())
    assert not trace.exists()
    # The file is as dangerous as it is meant to be.
    read(path)
    assert trace.exists()


def without_bias(weights):
    return {key: value for key, value in weights.items() if key != "rnn.bias_hh_l1"}


def without_decoder(weights):
    return {key: value for key, value in weights.items() if key != "decoder.weight"}


def with_extra(weights):
    return {**weights, "extra": torch.zeros(1)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_bias, r"they miss 'rnn\.bias_hh_l1'; the file's first keys are '\w+\.\w+' \("),
        (without_decoder, r"no output layer \(V, 6\) of as many words as the embedding; the file"),
        (with_extra, r"besides an LSTMModel of 2 layers, they have unknown 'extra'; the file's"),
        (lambda weights: {}, r"without one|the file has no tensors"),
        (lambda weights: {7: torch.zeros(1)}, r"no LSTM, .*; the file's first keys are '7' \(1,\)"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_with_other_keys_are_refused(
    tmp_path, model, vocabulary_file, change, message, suffix
):
    path, weights = tmp_path / f"weights{suffix}", change(model.state_dict())
    if suffix == ".pth":
        torch.save(weights, path)
    else:
        safetensors.torch.save_file({str(key): value for key, value in weights.items()}, path)
    with pytest.raises(CheckpointError, match=rf"the weights '.*weights\{suffix}' .*({message})"):
        load_checkpoint(path, vocabulary=vocabulary_file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda weights: {"epoch": 7}, "must be a state_dict or hold one, got dict without one"),
        (lambda weights: list(weights.values()), "must be a state_dict or .* got list without"),
        (lambda weights: weights["decoder.bias"], "must be a state_dict or .* got Tensor"),
        (lambda weights: None, "must be a state_dict or hold one, got NoneType without one"),
    ],
)
def test_weights_that_are_no_dictionary_of_tensors_are_refused(load_saved, model, content, message):
    with pytest.raises(CheckpointError, match=rf"weights\.pth' {message}"):
        load_saved(content(model.state_dict()))


@pytest.mark.parametrize(
    ("key", "shape", "message"),
    [
        ("decoder.weight", (21, 6), r"must have the shape \(20, 6\), got \(21, 6\)"),
        ("decoder.weight", (20, 7), r"must have the shape \(20, 6\), got \(20, 7\)"),
        ("decoder.bias", (20, 1), r"must have the shape \(20,\), got \(20, 1\)"),
        ("decoder.bias", (), r"must have the shape \(20,\), got \(\)"),
        ("rnn.weight_ih_l1", (24, 8), r"must have the shape \(24, 6\), got \(24, 8\)"),
        ("rnn.bias_ih_l0", (6,), r"must have the shape \(24,\), got \(6,\)"),
    ],
)
def test_a_weight_of_another_shape_is_refused(load_saved, model, key, shape, message):
    with pytest.raises(CheckpointError, match=rf"{re.escape(key)} in '.*weights\.pth' {message}"):
        load_saved({**model.state_dict(), key: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("encoder.weight", (20,)),
        ("encoder.weight", (20, 0)),
        ("encoder.weight", (1, 8)),
        ("rnn.weight_hh_l0", (24,)),
        ("rnn.weight_hh_l0", (24, 0)),
    ],
)
def test_weights_whose_shapes_give_no_sizes_are_refused(load_saved, model, key, shape):
    with pytest.raises(CheckpointError, match=r"weights\.pth'"):
        load_saved({**model.state_dict(), key: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("dtype", "received"),
    [
        (torch.int64, "int64"),
        (torch.uint8, "uint8"),
        (torch.uint16, "uint16"),
        (torch.float8_e5m2, "float8_e5m2"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_another_dtype_are_refused(
    tmp_path, model, vocabulary_file, dtype, received, suffix
):
    path = tmp_path / f"weights{suffix}"
    save = torch.save if suffix == ".pth" else safetensors.torch.save_file
    save({**model.state_dict(), "decoder.bias": torch.zeros(20, dtype=dtype)}, path)
    message = rf"decoder\.bias in '.*' must be one of float16, .*, float64, got {received}"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, vocabulary=vocabulary_file)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(load_saved, model, value):
    model.rnn.weight_hh_l1[3, 2] = value
    with pytest.raises(CheckpointError, match=r"rnn\.weight_hh_l1 in '.*pth' must be finite, but"):
        load_saved(model.state_dict())


@pytest.mark.parametrize(
    "convert",
    [
        lambda bias: bias.to_sparse(),
        lambda bias: bias.to("meta"),
        lambda bias: torch.nested.nested_tensor([bias[:5], bias[5:]]),
    ],
    ids=["sparse", "without storage", "nested"],
)
@pytest.mark.filterwarnings("ignore:.*nested tensors")
def test_a_weight_that_is_no_plain_tensor_is_refused(load_saved, model, convert):
    weights = model.state_dict()
    with pytest.raises(CheckpointError, match=r"'decoder\.bias' in '.*' must be a plain tensor"):
        load_saved({**weights, "decoder.bias": convert(weights["decoder.bias"])})


def test_a_small_file_that_claims_huge_weights_is_refused_before_they_are_made(load_saved, model):
    def claimed(*shape):
        return torch.zeros(1).expand(shape)

    million = 1_000_000
    weights = {
        **model.state_dict(),
        "encoder.weight": claimed(million, 8_192),
        "rnn.weight_ih_l0": claimed(24, 8_192),
        "decoder.weight": claimed(million, 6),
        "decoder.bias": claimed(million),
    }
    with pytest.raises(CheckpointError, match=r"'.*weights\.pth' claim .* in a file of [\d,]+$"):
        load_saved(weights)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails to be read")
def test_weights_that_cannot_be_read_are_said_in_words():
    with pytest.raises(CheckpointError, match=r"the weights '/proc/self/mem' cannot be read: \w+"):
        load_checkpoint("/proc/self/mem", vocabulary="vocab.txt")
    with pytest.raises(CheckpointError, match=r"the weights '/proc/self/mem' cannot be read: \w+"):
        read_weights(Path("/proc/self/mem"))
