"""Files made to keep their reader busy, to fill its memory, or to get their content into a message.

`PICKLES` are opcodes, `QUOTED` small files with their content, and `LARGE` writes large files.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save

from helpers.tiny import WORDS, tiny_model
from wlm.files import _BEGINNINGS

MARK = "ж"  # in no message of wlm: a message that has it quotes the file
LONG = MARK * 900
LEGACY = (
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."  # its first pickles
)
NO_KEYS = b"\x80\x02]."


def zipped(opcodes: bytes, more: dict[str, bytes] | None = None) -> bytes:
    """Return a file of `torch.save` with a pickle of these opcodes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + opcodes + b".")
        for name, content in (more or {}).items():
            archive.writestr(f"a/{name}", content)
    return file.getvalue()


def legacy(opcodes: bytes) -> bytes:
    """Return the same in the format before PyTorch 1.6."""
    return LEGACY + b"\x80\x02" + opcodes + b"." + NO_KEYS


def text(words: str) -> bytes:
    """Return the opcode of a text."""
    content = words.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def _doubled(start: bytes, pair: bytes, depth: int) -> bytes:
    """Return opcodes of a value that holds the one before it twice, `depth` times."""
    opcodes = start + b"q\x00"
    for i in range(depth):
        opcodes += pair.replace(b"GET", b"h" + bytes([i])) + b"q" + bytes([i + 1])
    return opcodes


_TUPLES = _doubled(b")", b"0GETGET\x86", 60)
_FROZENSETS = _doubled(b")", b"0(GET)\x86GET\x91", 60)
_LISTS = _doubled(b"]", b"0](GETGETe", 60)
_STORAGE = b"(" + text("storage") + b"ctorch\nFloatStorage\n"


def _copies_of_a_dict(items: int, copies: int) -> bytes:
    numbers = b"".join(b"M" + struct.pack("<H", i) + b"K\x01" for i in range(items))
    call = b"ccollections\nOrderedDict\nq\x010"
    return b"}q\x00(" + numbers + b"u0" + call + b"]" + b"h\x01h\x00\x85Ra" * copies


def _encoded(length: int, times: int) -> bytes:
    call = b"c_codecs\nencode\nq\x010"
    encoded = b"h\x01h\x00" + text("latin1") + b"\x86R"
    return text("a" * length) + b"q\x000](" + call + encoded * times + b"e"


PICKLES = {
    "nested tuples as a key": b"}" + _TUPLES + b"K\x01s",
    "nested frozensets as a key": b"}" + _FROZENSETS + b"K\x01s",
    "nested tuples in a set": b"(" + _TUPLES + b"\x91",
    "nested lists in an error": b"(" + _LISTS + b"tQ",
    "nested lists as a storage": _STORAGE + _LISTS + text("cpu") + b"K\x01tQ",
    "nested lists as a size": _STORAGE + b"K\x01" + text("cpu") + _LISTS + b"tQ",
    "nested lists as a name": text("a") + _LISTS + b"\x93",
    "nested tuples of an object in a key": b"}cenum\nEnum\n" + _TUPLES + b"\x85R\x85K\x01s",
    "copies of one dict": _copies_of_a_dict(1_000, 40_000),
    "one string encoded many times": _encoded(1_000_000, 300),
}


def _npz(name: str, shape: str) -> bytes:
    """Return an .npz file whose only array claims a shape."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
        archive.writestr(f"{name}.npy", start + header)
    return file.getvalue()


def _folder(card: dict, **more: bytes) -> bytes:
    """Return a zip archive of a model folder with this card."""
    file = io.BytesIO()
    words = "".join(f"{word}\n" for word in WORDS)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/card.json", json.dumps(card, ensure_ascii=False))
        archive.writestr("m/vocab.txt", words)
        archive.writestr("m/model.safetensors", save(tiny_model().state_dict()))
        for name, content in more.items():
            archive.writestr(f"m/{name}", content)
    return file.getvalue()


def _renamed(**names: str) -> bytes:
    """Return the tiny model's weights with parts of their names replaced."""
    weights = {}
    for key, value in tiny_model().state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        weights[key] = value.clone()
    return save(weights)


def _with(**more: torch.Tensor) -> bytes:
    return save({**tiny_model().state_dict(), **more})


def _saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _sizes(**sizes: object) -> dict:
    return {"architecture": {"ntoken": 20, "ninp": 8, "nhid": 6, "nlayers": 2, **sizes}}


def _quoted() -> dict[str, tuple[str, bytes]]:
    weights = tiny_model().state_dict()
    lstm = {key: value for key, value in weights.items() if key.startswith("rnn.")}
    many = torch.zeros((1,) * 60 + (20, 8))
    found = {
        "names that fit no model": ("a.safetensors", save({LONG: torch.zeros(3)})),
        "a missing matrix": ("a.safetensors", _renamed(rnn=LONG, bias_hh_l1="x")),
        "two LSTMs": (
            "a.safetensors",
            save(
                {f"{LONG}{end}.{key}": value.clone() for end in "ab" for key, value in lstm.items()}
            ),
        ),
        "two embeddings": (
            "a.safetensors",
            _with(**{f"{LONG}{i}": torch.zeros(20, 8) for i in range(3)}).replace(
                b'"encoder.weight"', b'"e.weight"      '
            ),
        ),
        "a tensor of no use": (
            "a.safetensors",
            _with(**{f"rnn.{LONG}{i}": torch.zeros(3) for i in range(3)}),
        ),
        "a matrix of three dimensions": (
            "a.safetensors",
            save({f"{LONG}.weight_{way}_l0": torch.zeros(1, 24, 6) for way in ("ih", "hh")}),
        ),
        "a shape of many dimensions": ("a.safetensors", save({**weights, "encoder.weight": many})),
        "models in many places": ("a.pt", _saved({f"{LONG}{i}": lstm for i in range(5)})),
        "a number as a key": ("a.pt", zipped(b"}(\x8a\xff" + b"\x7f" * 255 + b"K\x01u")),
        "an object of a long name": ("a.pt", zipped(text(LONG) + text("a") + b"\x93)R")),
        "a weight of a long name": (
            "a.pt",
            zipped(b"}(" + text(f"{LONG}.weight") + text("a") + text(LONG) + b"\x93)Ru"),
        ),
        "a storage of a long name": (
            "a.pt",
            zipped(_STORAGE + text(LONG) + text("cpu") + text(LONG) + b"tQ"),
        ),
        "a reference of a long name": ("a.pt", zipped(b"(" + text(LONG) + b"tQ")),
        "an array of another size": ("a.npz", _npz(LONG, "(3,)")),
        "an array of many sizes": ("a.npz", _npz("a", "(" + "3," * 300 + ")")),
        "an archive without names": ("a.zip", _folder(_sizes(), **{f"{LONG}/..": b""})),
        "a card of long keys": ("a.zip", _folder({"architecture": {LONG: 1}})),
        "a card of a long size": ("a.zip", _folder(_sizes(ntoken=LONG))),
        "a card of a large size": ("a.zip", _folder(_sizes(ntoken=10**4_000))),
        "a card of a nested size": ("a.zip", _folder(_sizes(ntoken=[[[LONG]]]))),
        "a card with another file": ("a.zip", _folder({**_sizes(), "weights_file": LONG})),
        "a card with another hash": ("a.zip", _folder({**_sizes(), "sha256": LONG})),
        "a card with a nested key": ("a.zip", _folder(_sizes(deep={"deeper": [[[LONG]]]}))),
        "a shard": ("model-00001-of-00002.bin", LONG.encode()),
        "a text": ("a.pt", LONG.encode()),
    }
    for start, (what, _) in _BEGINNINGS.items():
        found[what] = "a.pt", start + LONG.encode()
    return found


QUOTED: dict[str, tuple[str, bytes]] = _quoted()  # weights: the file's name and its content
VOCABULARIES = {
    "a word twice": f"{LONG}\n" * 20,
    "two words in a line": f"{LONG} {LONG}\na\n",
    "two columns": "".join(f"{LONG}{i}\t{i}\n" for i in range(20)),
    "one line": " ".join([LONG] * 20),
    "large ids": json.dumps({LONG: 10**4_000, "a": 0}),
    "ids that are none": json.dumps({LONG: LONG}, ensure_ascii=False),
    "another object": json.dumps({LONG: [LONG]}, ensure_ascii=False),
    "too few words": f"{LONG}\n{LONG}2\n",
}


def _directory(path: Path, entries: int = 2_000_000) -> None:
    """A zip archive with very many entries in its directory."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 5) + bytes(16) + b"a.npy"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04" + bytes(26))
        for _ in range(entries // 1_000):
            file.write(entry * 1_000)
        size = len(entry) * entries
        file.write(b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 65_535, 65_535, size, 30, 0))


def _tensors(path: Path, size: int) -> None:
    """A safetensors file of very many tensors: a header of this many bytes."""
    entry = '"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    number = size // (len(entry) + 3)
    header = f"{{{','.join(entry.format(i) for i in range(number))}}}".encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def _overlapping(path: Path, size: int = 110_000_000, entries: int = 20) -> None:
    """A zip archive of a model folder whose entries are all the same large stretch."""
    names = ["card.json", *(f"{i:09}" for i in range(entries - 1))]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(names[0], bytes(size))
        first = archive.infolist()[0]
        for name in names[1:]:
            copy = zipfile.ZipInfo(name)
            copy.CRC, copy.file_size, copy.compress_size = first.CRC, size, size
            copy.header_offset = first.header_offset
            archive.filelist.append(copy)
            archive.NameToInfo[name] = copy


def _matrices(path: Path, number: int = 10_000) -> None:
    """Many small matrices of one storage."""
    storage = torch.zeros(600, 6)
    weights = {f"m{i}.weight": storage[i % 2 :] for i in range(number)}
    weights |= {f"lstm.weight_{way}_l0": torch.zeros(24, 6) for way in ("ih", "hh")}
    torch.save(weights, path)


LARGE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "zip with 2,000,000 entries in its directory": ("a.zip", _directory),
    "npz with 2,000,000 entries in its directory": ("a.npz", _directory),
    "zip with 38,000 entries in its directory": ("b.zip", lambda path: _directory(path, 38_000)),
    "zip of 20 entries that are one stretch of 110 MB": ("c.zip", _overlapping),
    "safetensors with a header of 60 MB": (
        "a.safetensors",
        lambda path: _tensors(path, 60_000_000),
    ),
    "safetensors with a header of 4 MB": ("b.safetensors", lambda path: _tensors(path, 3_900_000)),
    "10,000 matrices of one storage": ("a.pt", _matrices),
    "one string of 10 MB encoded 300 times": (
        "b.pt",
        lambda path: path.write_bytes(zipped(_encoded(10_000_000, 300))),
    ),
    **{
        f"pickle: {name}, {form.__name__}": (
            f"{form.__name__}-{i}.pt",
            lambda path, form=form, opcodes=opcodes: path.write_bytes(form(opcodes)),
        )
        for i, (name, opcodes) in enumerate(PICKLES.items())
        for form in (zipped, legacy)
    },
}
