"""Files of `torch.save` made by hand: what no such file of an honest script looks like is refused,
and rare but honest things are read."""

import collections
import datetime
import enum
import fractions
import io
import operator
import os
import pickle
import re
import struct
import zipfile

import numpy
import pandas
import pytest
import torch
from test_foreign import assert_same, read_it
from torch import Tensor, nn

from wlm.errors import CheckpointError
from wlm.weights import pickled
from wlm.weights.pickled import read_pickle
from wlm.weights.read import read_weights
from wlm.weights.torch_file import TorchFile

_MAGIC = 0x1950A86A20F9469CFC6C  # begins a file in the format before PyTorch 1.6


class Call:
    """Whose pickle calls a function and then, where there is one, sets a state."""

    def __init__(self, function, *args, state=None):
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.reduced


class Config(dict):
    """A dictionary's kin, as configurations are."""


class Log(list):
    """A list's kin."""


class Keyword:
    """Which is made with keyword arguments."""

    def __getnewargs_ex__(self):
        return (), {"a": 1}

    def __new__(cls, **_):
        return super().__new__(cls)


def saved(content, **options) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def zipped(*opcodes: bytes, changes: dict | None = None) -> bytes:
    """A file of which the pickle is made of opcodes, or one of a tensor with entries changed: None
    is for one left out."""
    with zipfile.ZipFile(io.BytesIO(saved({"a": torch.ones(3)}))) as archive:
        entries = {member.partition("/")[2]: archive.read(member) for member in archive.namelist()}
    if opcodes:
        entries["data.pkl"] = b"\x80\x02" + b"".join(opcodes) + b"."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**entries, **(changes or {})}.items():
            if content is not None:
                archive.writestr(f"archive/{name}", content)
    return file.getvalue()


def stored(
    storage, size, stride, first=0, function=torch._utils._rebuild_tensor_v2, end=()
) -> Call:
    """A tensor that need not lie within its storage."""
    odict = collections.OrderedDict()
    return Call(function, storage, first, size, stride, False, odict, *end)


def storage(count=4):
    return torch.storage.TypedStorage(
        wrap_storage=torch.zeros(count).untyped_storage(), dtype=torch.float32, _internal=True
    )


def with_size(content: bytes, size: int) -> bytes:
    """A zip archive that says that its entry data/0 has another size than it has."""
    place = content.rindex(b"archive/data/0") - 46
    assert content[place : place + 4] == b"PK\1\2"
    return content[: place + 20] + struct.pack("<II", size, size) + content[place + 28 :]


def legacy(*objects) -> bytes:
    """A file in the format before 1.6 that consists of these."""
    return b"".join(pickle.dumps(content, 2) for content in (_MAGIC, 1001, *objects))


@pytest.fixture
def refused(tmp_path):
    """A file's content, and how what reading it raises must go on after its name."""

    def refused(content, message):
        path = tmp_path / "weights.pt"
        path.write_bytes(content if isinstance(content, bytes) else saved(content))
        with pytest.raises(CheckpointError, match=rf"the weights '.*weights\.pt' {message}"):
            read_it(path)

    return refused


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "weights.pt"
        path.write_bytes(content if isinstance(content, bytes) else saved(content, **options))
        return read_it(path)

    return read


CALLS = {
    "REDUCE": (b"cposix\nsystem\n", b"(X\x02\0\0\0idtR"),
    "INST": (b"(X\x02\0\0\0id", b"iposix\nsystem\n"),
    "OBJ": (b"(cposix\nsystem\n", b"X\x02\0\0\0ido"),
    "within a rebuilt tensor": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cposix\nsystem\nN",
        b"(X\x02\0\0\0idt}tR",
    ),
}


@pytest.mark.parametrize("opcodes", CALLS.values(), ids=CALLS)
def test_weights_that_only_a_call_could_make_are_refused_and_the_call_is_named(
    refused, monkeypatch, opcodes
):
    monkeypatch.setattr(os, "system", lambda _: pytest.fail("it was called"))
    message = r"must be a state_dict or hold one, got posix\.system without one: save the weights"
    refused(zipped(*opcodes), message)


@pytest.mark.parametrize("opcodes", CALLS.values(), ids=CALLS)
def test_every_way_to_call_something_beside_the_weights_does_nothing(
    read, model, monkeypatch, opcodes
):
    monkeypatch.setattr(os, "system", lambda _: pytest.fail("it was called"))
    content = saved({"extra": None, **model.state_dict()})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {entry.partition("/")[2]: archive.read(entry) for entry in archive.namelist()}
    before, after = entries["data.pkl"].split(b"extra", 1)
    at = after.index(b"N")  # the value None
    changed = before + b"extra" + after[:at] + b"".join(opcodes) + after[at + 1 :]
    assert_same(read(zipped(changes={**entries, "data.pkl": changed})), model)


PICKLES = {
    "an extension": (b"\x82\1", "it holds EXT1, which no checkpoint needs"),
    "items of a list": (b"]K\1K\2s", "it sets items of a list"),
    "a number appended to": (b"K\1K\2a", "it appends to a int"),
    "a number called": (b"K\1)R", "it calls something that is no class"),
    "an import without a name": (b"]]\x93", "it imports something that has no name"),
    "an import of a long name": (
        b"X\xe8\x03\0\0" + b"a" * 1_000 + b"X\1\0\0\0b\x93",
        "it imports something that has no name",
    ),
    "a list changed": (b"]}b", "it changes something that it did not make"),
    "a file referred to": (b"(X\4\0\0\0filetQ", "it refers to a file"),
    "a storage of objects": (
        b"(X\7\0\0\0storagectorch\nObjectStorage\nX\1\0\0\x000X\3\0\0\0cpuK\4tQ",
        r"it holds a torch\.ObjectStorage of 4",
    ),
    "a storage of less than nothing": (
        b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuJ\xff\xff\xff\xfftQ",
        r"it holds a torch\.FloatStorage of -1",
    ),
    "a view of less than nothing": (
        b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK\4"
        b"X\1\0\0\x001J\xff\xff\xff\xffK\4\x87tQ",
        "it holds a view of negative size",
    ),
    "a call of itself": (  # whose arguments hold a list that holds itself
        b"ctorch._tensor\n_rebuild_from_type_v2\nq\0h\0N]q\1h\0aNah\1a\x87R",
        "maximum recursion depth exceeded.*",
    ),
}


@pytest.mark.parametrize("opcodes, message", PICKLES.values(), ids=PICKLES)
def test_a_pickle_of_which_no_script_has_the_like_is_refused(refused, opcodes, message):
    refused(zipped(opcodes), f"are damaged or no PyTorch file: {message}$")


def test_a_pickle_of_too_many_steps_is_refused(refused, monkeypatch, model):
    monkeypatch.setattr(pickled, "MOST_STEPS", 20)
    refused(saved(model), "are damaged .*: it takes more than 20 steps to read")


ARCHIVES = {
    "no pickle": (
        lambda: b"\0" + zipped(changes={"data.pkl": None}),
        "it is a zip archive without PyTorch's data.pkl",
    ),
    "big-endian": (lambda: zipped(changes={"byteorder": b"big"}), "its numbers are big-endian"),
    "outside": (
        lambda: with_size(zipped(), 1_000_000),
        "(data/0 lies outside of the file|its entries overlap)",
    ),
    "no header": (
        lambda: re.sub(rb"PK\x03\x04(?=.{26}archive/data/0)", b"PK..", zipped(), flags=re.S),
        "an entry has no header",
    ),
    "legacy big-endian": (
        lambda: legacy({"little_endian": False}, {}, []),
        "its numbers are big-endian",
    ),
}


@pytest.mark.parametrize("make, message", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_cannot_be_of_pytorch_here_is_refused(refused, make, message):
    refused(make(), f"are damaged or no PyTorch file: {message}$")


TENSORS = {
    "negative": (lambda: stored(storage(), (2,), (-1,)), "a tensor of negative or odd sizes"),
    "odd": (lambda: stored(storage(), (2, 2), (1,)), "a tensor of negative or odd sizes"),
    "no dtype": (
        lambda: stored(
            storage(), (2,), (1,), function=torch._utils._rebuild_tensor_v3, end=(Tensor,)
        ),
        r"numbers of the kind torch\.Tensor",
    ),
}


@pytest.mark.parametrize("make, message", TENSORS.values(), ids=TENSORS)
def test_a_tensor_that_cannot_be_is_refused(refused, make, message):
    refused({"a": make()}, f"are damaged or no PyTorch file: it holds {message}$")


def test_no_dtype_is_looked_for_where_torch_would_import_it(refused, monkeypatch):
    looked_for = []
    monkeypatch.setattr(torch, "__getattr__", looked_for.append)
    v3 = stored(storage(), (2,), (1,), function=torch._utils._rebuild_tensor_v3, end=(Tensor,))
    with zipfile.ZipFile(io.BytesIO(saved({"a": v3}))) as archive:
        content = archive.read("archive/data.pkl")
    changed = content.replace(b"ctorch\nTensor\n", b"ctorch\n_inductor\n")
    looked_for.clear()
    refused(zipped(changes={"data.pkl": changed}), r".*of the kind torch\._inductor$")
    assert looked_for == []


@pytest.mark.parametrize("first, size", [(2, (24,)), (2**50, (24,)), (0, (24,))])
def test_numbers_behind_their_storage_are_refused(refused, model, first, size):
    weights = {**model.state_dict(), "rnn.bias_ih_l0": stored(storage(20), size, (1,), first)}
    refused(weights, r"are damaged .*: storage \d+ holds less than its tensors")


@pytest.mark.parametrize("left", [b"1234", None])
def test_an_entry_that_is_too_short_or_missing_is_refused(refused, model, left):
    with zipfile.ZipFile(io.BytesIO(saved(model.state_dict()))) as archive:
        entries = {member.partition("/")[2]: archive.read(member) for member in archive.namelist()}
    content = zipped(changes={**entries, "data/0": left})
    refused(content, "are damaged .*: storage 0 holds less than its tensors")


ARRAYS = {
    "short": ((1, (5,), numpy.dtype("f4"), False, b"1234"), r"array of shape \(5,\) has 4 bytes"),
    "negative": ((1, (-1,), numpy.dtype("f4"), False, b""), r"an array of shape \(-1,\) has 0"),
    "no content": ((1, (5,), numpy.dtype("f4"), False, None), "NoneType"),
}


@pytest.mark.parametrize("state, message", ARRAYS.values(), ids=ARRAYS)
def test_a_damaged_array_is_refused(refused, state, message):
    function, args, _ = numpy.zeros(1).__reduce__()
    refused({"a": Call(function, *args, state=state)}, f"are damaged: .*{message}")


def test_modules_within_too_many_are_refused(refused):
    module = nn.Linear(2, 2)
    for _ in range(9):
        module = nn.Sequential(module)
    refused(saved(module), "are damaged: its modules must be at most 8 deep, with 100,000 tensors")


class Kind(enum.Enum):
    LSTM = 1

    def method(self):
        pass


class Ordered(collections.OrderedDict):
    """An OrderedDict's kin."""


OTHERS = {
    "a set": ({1, 2}, 4),
    "an Enum member": ({Kind.LSTM: Kind.LSTM}, 2),
    "a time zone": (datetime.datetime.now(datetime.UTC), 2),
    "a range": (range(3), 2),
    "a generator of NumPy": (numpy.random.default_rng(1), 2),
    "a random state of NumPy": (numpy.random.RandomState(1), 2),
    "an OrderedDict's kin": (Ordered(a=1), 2),
    "an OrderedDict's kin, newer": (Ordered(a=1), 4),
    "a regular expression": (re.compile("a"), 2),
    "a fraction": (fractions.Fraction(1, 3), 2),
    "a bound method": (Kind.LSTM.method, 2),
    "a class within a class": (nn.Module.forward, 4),
    "a table of pandas": (pandas.DataFrame({"a": [1.0], "b": ["x"]}), 2),
    "nested keys": ({((1, 2), 3): 4, frozenset((1,)): 2}, 2),
    "a tuple of an object as a key": ({(Kind.LSTM, 1): 4}, 2),
    "made with keywords": (Keyword(), 4),
    "a list's kin": (Log([1, 2]), 2),
    "a dictionary's kin": (Config(a=1, b=2), 2),
    "whole numbers": (numpy.arange(3), 2),
    "nothing in an array": (numpy.zeros(0, "f4"), 2),
    "of a newer dtype": (torch.zeros(2, dtype=torch.uint16), 2),
}


@pytest.mark.parametrize("other, protocol", OTHERS.values(), ids=OTHERS)
def test_what_a_script_may_keep_beside_the_weights_does_no_harm(read, model, other, protocol):
    found = read({"model": model.state_dict(), "other": other}, pickle_protocol=protocol)
    assert_same(found, model)


def test_weights_in_a_dictionarys_kin_are_read(read, model):
    found = read(Config(epoch=3, state_dict=model.state_dict()))
    assert_same(found, model)
    assert found.words == "under 'state_dict'"


def test_a_weight_with_attributes_is_read(read, model):
    weights = model.state_dict()
    weights["decoder.bias"].note = "mine"
    assert b"_rebuild_from_type_v2" in saved(weights)
    assert_same(read(weights), model)


def test_an_array_of_the_other_byte_order_is_refused(read, model):
    arrays = {key: value.numpy() for key, value in model.state_dict().items()}
    arrays["decoder.bias"] = arrays["decoder.bias"].astype(">f4")
    message = r"'decoder\.bias' in .* must be a plain tensor, got numpy\.ndarray"
    with pytest.raises(CheckpointError, match=message):
        read(arrays)


@pytest.mark.parametrize("count", [1, 5])
def test_a_tuple_that_holds_itself_is_read(count):
    inner = []
    inner.append((inner, *range(count - 1)))
    found = read_pickle(io.BytesIO(pickle.dumps(inner[0], 2)), operator.call, None)
    assert type(found) is tuple and found[0][0] is found and found[1:] == inner[0][1:]


def test_a_view_of_a_storage_in_the_oldest_format_is_read(tmp_path):
    # As PyTorch 0.1 wrote tensors of which one is part of another's numbers.
    class Pickler(pickle.Pickler):
        def persistent_id(self, each):
            return each.reference if isinstance(each, Reference) else None

    class Reference:
        reference = ("storage", torch.FloatStorage, "7", "cpu", 6, ("8", 2, 3))

    file = io.BytesIO()
    Pickler(file, 2).dump({"a": Call(torch._utils._rebuild_tensor, Reference(), 1, (2,), (1,))})
    numbers = struct.pack("<q6f", 6, *range(6))
    content = legacy({"little_endian": True}) + file.getvalue() + pickle.dumps(["7"], 2) + numbers
    (tmp_path / "old.pt").write_bytes(content)
    assert TorchFile(tmp_path / "old.pt").content["a"].read().tolist() == [3.0, 4.0]


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path, model):
    path = tmp_path / "weights.pt"
    path.write_bytes(saved(model.state_dict()))
    found = read_weights(path)
    os.truncate(path, 100)
    with pytest.raises(CheckpointError, match=r"are damaged .*: it ends too early"):
        found.read_into(model.state_dict())
