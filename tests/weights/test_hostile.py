"""Files made to keep their reader busy or to fill its memory: each is refused in one sentence."""

import json
import struct
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from helpers import hostile
from wlm.catalog.open import open_model
from wlm.errors import CheckpointError
from wlm.model.lstm import LSTMModel
from wlm.text.vocabulary import Vocabulary
from wlm.weights import limited, zip_file
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint
from wlm.weights.limited import limits, load_limited
from wlm.weights.read import read_weights


@pytest.mark.parametrize("form", [hostile.zipped, hostile.legacy])
@pytest.mark.parametrize("opcodes", hostile.PICKLES.values(), ids=hostile.PICKLES)
def test_a_pickle_that_would_take_exponential_time_is_refused(tmp_path, opcodes, form):
    path = tmp_path / "weights.pt"
    path.write_bytes(form(opcodes))
    with pytest.raises(CheckpointError) as refused:
        read_weights(path)
    assert len(str(refused.value).replace(str(path), "")) < 300


def test_many_matrices_of_one_storage_are_refused_before_they_are_paired(tmp_path):
    storage = torch.zeros(600, 6)
    weights = {f"m{i}.weight": storage[i % 2 :] for i in range(1_200)}
    weights |= {"lstm.weight_ih_l0": torch.zeros(24, 6), "lstm.weight_hh_l0": torch.zeros(24, 6)}
    torch.save(weights, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="1,200 matrices, too many to tell"):
        read_weights(tmp_path / "weights.pt")


@pytest.mark.parametrize("name", ["weights.npz", "weights.pt", "weights.zip"])
def test_a_directory_of_very_many_entries_is_refused_unread(tmp_path, monkeypatch, name):
    monkeypatch.setattr(zip_file, "MOST_DIRECTORY", 5_000)
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for i in range(100):
            archive.writestr(f"{i}.npy", b"")
    with pytest.raises(CheckpointError, match=r"damaged|zip archive"):
        read_weights(tmp_path / name)
    with pytest.raises(ValueError, match="directory must have at most 5,000 bytes"):
        zip_file.open_zip(tmp_path / name)


def test_entries_that_overlap_are_refused(tmp_path):
    content = bytearray(hostile.zipped(b"}", {"data/0": b"x" * 100, "data/1": b"y" * 100}))
    place = content.rindex(b"PK\x01\x02")
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 1)
    content[place + 42 : place + 46] = content[second + 42 : second + 46]
    (tmp_path / "weights.pt").write_bytes(content)
    with pytest.raises(ValueError, match="its entries overlap"):
        zip_file.open_zip(tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="entries overlap"):
        read_weights(tmp_path / "weights.pt")


def test_an_entry_without_a_file_name_shows_no_path_of_this_machine(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("model/card.json", "{}")
        archive.writestr("model/..", "x")
    with pytest.raises(CheckpointError, match="an entry without a file name") as refused:
        load_checkpoint(tmp_path / "a.zip")
    assert "/wlm-" not in str(refused.value)


def test_a_safetensors_file_of_very_many_tensors_is_refused_by_its_header(tmp_path):
    header = json.dumps({"x" * 5_000_000: 1}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(CheckpointError, match=r"header must have at most 4,000,000 bytes"):
        read_weights(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "architecture, message",
    [
        ({"deep": {"deeper": [[[1]]]}}, "its architecture must have the sizes ntoken"),
        (
            {"ntoken": [[1]], "ninp": 1, "nhid": 1, "nlayers": 1},
            "ntoken must be a number, got 'list'",
        ),
    ],
)
def test_a_cards_odd_keys_are_refused_without_an_error_of_python(
    tmp_path, model, vocabulary, architecture, message
):
    save_checkpoint(tmp_path / "m", model, vocabulary)
    (tmp_path / "m" / "card.json").write_text(json.dumps({"architecture": architecture}))
    with pytest.raises(CheckpointError, match=message) as refused:
        load_checkpoint(tmp_path / "m")
    assert "__init__" not in str(refused.value)


@pytest.fixture
def words(tmp_path, vocabulary) -> Path:
    vocabulary.save(tmp_path / "words.txt")
    return tmp_path / "words.txt"


@pytest.mark.slow
def test_another_process_reads_weights_as_this_one_would(
    tmp_path, model, words, separate_processes
):
    torch.save({"state_dict": model.state_dict()}, tmp_path / "weights.pt")
    here = load_checkpoint(tmp_path / "weights.pt", vocabulary=words)
    for there in (
        load_limited(tmp_path / "weights.pt", vocabulary=words),
        open_model(str(tmp_path / "weights.pt"), words),
    ):
        facts = there.name, there.card, there.sha256, there.weights_read
        assert facts == (here.name, here.card, here.sha256, here.weights_read)
        assert there.vocabulary.words == here.vocabulary.words
        for key, value in here.model.state_dict().items():
            assert torch.equal(value, there.model.state_dict()[key])
    with pytest.raises(CheckpointError, match="there is no file"):
        load_limited(tmp_path / "gone.pt", vocabulary=words)
    with pytest.raises(CheckpointError, match="as many words as the model, 20, got 2"):
        words.write_text("the\nriver\n")
        open_model(str(tmp_path / "weights.pt"), words)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory need Linux")
@pytest.mark.parametrize("memory, seconds", [(1_000_000, 20), (1_000_000_000, 0.001)])
def test_a_file_that_exceeds_a_limit_is_refused_in_a_sentence(
    tmp_path, monkeypatch, memory, seconds
):
    words = Vocabulary(f"w{i}" for i in range(20_000))
    words.save(tmp_path / "words.txt")
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(len(words), 200, 6, 1)  # 16 MB
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    monkeypatch.setattr(limited, "limits", lambda _: (memory, seconds))
    with pytest.raises(CheckpointError, match=r"within .* s of CPU time and .* GB of memory"):
        load_limited(tmp_path / "weights.pt", vocabulary=tmp_path / "words.txt")


@pytest.mark.parametrize(
    ("error", "other"),
    [
        (MemoryError(), ValueError("it ends too early")),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            RuntimeError("[enforce fail] another reason"),
        ),
        (
            CheckpointError("the weights are damaged: Cannot allocate memory (os error 12)"),
            CheckpointError("the weights are damaged"),
        ),
    ],
)
def test_errors_of_the_limit_on_memory_are_told_apart(error, other):
    assert limited._lacks_memory(error) and not limited._lacks_memory(other)


def test_a_larger_file_has_more_memory_and_time():
    assert limits(120_000_000) == (1_000_000_000, 20)
    assert limits(8_000_000_000) == (25_000_000_000, 410)
