"""A pickle read as data: its imports, calls and objects are only recorded, never carried out.

`torch.load(weights_only=True)` refuses whole modules, or needs their classes on a list that all
threads of the process share. Here nothing is imported and nothing of the file runs.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

MOST_STEPS = 1_000_000  # a vocabulary of 267,735 words next to the weights takes 800,000
MOST_NAME = 1_000  # characters of a name that a pickle imports


@dataclass(eq=False, slots=True, repr=False)
class Inert:
    """A name that a pickle imports or, if `made`, an object that it would make by that name: its
    arguments, its state, and the items that it would set in it."""

    name: str
    made: bool = False
    args: tuple = ()
    state: object = None
    entries: dict | None = None

    def __repr__(self) -> str:
        # The contents are left out: nested contents can take exponential time to write.
        return f"<{self.name}>"


Call = Callable[[str, tuple], object]

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set}
_FEW = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = frozenset(("PROTO", "FRAME", "STOP"))
_PUT = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_GET = frozenset(("GET", "BINGET", "LONG_BINGET"))
_VALUES = ("INT", "LONG", "FLOAT", "STRING", "UNICODE", "BYTES", "BYTEARRAY")


def read_pickle(file: BinaryIO, call: Call, persistent: Callable[[object], object]) -> object:
    """Return the content that the next pickle in a file describes; leave the file at the pickle's
    end.

    Lists, tuples, dictionaries, sets, numbers and strings are returned as such, all else as Inert.
    `call(name, arguments)` replaces each call of an imported name, `persistent` each reference to
    data outside the pickle. Raises ValueError and other plain errors if the pickle is damaged.
    Source: the opcodes' documentation in Python's pickletools.
    """
    reader = _Reader(call, persistent)
    for step, (opcode, argument, _place) in enumerate(pickletools.genops(file)):
        if step >= MOST_STEPS:
            raise ValueError(f"it takes more than {MOST_STEPS:,} steps to read")
        reader.step(opcode.name, argument)
    return reader.stack.pop()


class _Reader:
    def __init__(self, call: Call, persistent: Callable[[object], object]):
        self.call, self.persistent = call, persistent
        self.stack: list = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def step(self, name: str, argument: object) -> None:
        stack = self.stack
        if name in _NOTHING:
            pass
        elif name in _PUT:
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in _GET:
            stack.append(self.memo[argument])
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _FEW:
            stack[-_FEW[name] :] = [tuple(stack[-_FEW[name] :])]
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name in ("LIST", "TUPLE", "DICT", "FROZENSET"):
            items = self._since_mark()
            kinds = {"LIST": list, "TUPLE": tuple, "DICT": _pairs, "FROZENSET": _frozen}
            stack.append(kinds[name](items))
        elif name in ("APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS"):
            self._fill(name)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "GLOBAL":
                module, what = argument.split(" ", 1)
            else:
                what, module = stack.pop(), stack.pop()
            if not (type(module) is type(what) is str) or len(module) + len(what) > MOST_NAME:
                raise ValueError("it imports something that has no name")
            stack.append(Inert(f"{module}.{what}"))
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST"):
            self._make(name, argument)
        elif name == "BUILD":
            self._build(stack.pop())
        elif name in ("PERSID", "BINPERSID"):
            reference = argument if name == "PERSID" else stack.pop()
            stack.append(self.persistent(reference))
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self._since_mark()
        elif any(kind in name for kind in _VALUES):
            stack.append(argument)
        else:
            raise ValueError(f"it holds {name}, which no checkpoint needs")

    def _since_mark(self) -> list:
        place = self.marks.pop()
        items = self.stack[place:]
        del self.stack[place:]
        return items

    def _fill(self, name: str) -> None:
        if name == "APPEND":
            items = [self.stack.pop()]
        elif name == "SETITEM":
            value = self.stack.pop()
            items = [self.stack.pop(), value]
        else:
            items = self._since_mark()
        target = self.stack[-1]
        if name.startswith("SET"):
            if isinstance(target, Inert):
                target.entries = target.entries or {}
                target = target.entries
            if type(target) is not dict:
                raise ValueError(f"it sets items of a {type(target).__name__}")
            target.update(_pairs(items))
        elif type(target) is set:
            target.update(map(_key, items))
        elif type(target) is list:
            target.extend(items)
        elif not isinstance(target, Inert):  # nothing is needed from subclasses of list
            raise ValueError(f"it appends to a {type(target).__name__}")

    def _make(self, name: str, argument: object) -> None:
        stack = self.stack
        if name == "INST":
            target, args = Inert(argument.replace(" ", ".", 1)), tuple(self._since_mark())
        elif name == "OBJ":
            target, *args = self._since_mark()
            args = tuple(args)
        else:
            if name == "NEWOBJ_EX":
                stack.pop()  # keyword arguments
            args, target = stack.pop(), stack.pop()
        if not isinstance(target, Inert) or type(args) is not tuple:
            raise ValueError("it calls something that is no class")
        # Most instances are new objects, whose class is not called. Made objects may be called
        # too: an attribute of a class, for example.
        is_inert = name.startswith("NEWOBJ") or target.made
        stack.append(Inert(target.name, True, args) if is_inert else self.call(target.name, args))

    def _build(self, state: object) -> None:
        target = self.stack[-1]
        if isinstance(target, Inert) and target.made:
            target.state = state
        elif type(target) is not dict:  # a dictionary's attributes are not needed
            raise ValueError("it changes something that it did not make")


def _pairs(items: list) -> dict:
    return dict(zip(map(_key, items[::2]), items[1::2], strict=True))


def as_dict(pairs: list | dict) -> dict:
    """Return a dictionary of pairs that a pickle describes. Raises ValueError for other items."""
    if isinstance(pairs, dict):
        return dict(pairs)
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError("it makes a dictionary of what are no pairs")
    return {_key(key): value for key, value in pairs}


def _frozen(items: list) -> frozenset:
    return frozenset(map(_key, items))


def _key(value: object) -> object:
    """Return a key of a dictionary or a member of a set; Inert for nested ones, which could take
    exponential time to hash."""
    if type(value) is frozenset or (
        type(value) is tuple and any(isinstance(item, tuple | frozenset) for item in value)
    ):
        return Inert(type(value).__name__)
    return value
