"""A model's weights in a training script's file: a state_dict, wrapped or not, or a module."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wlm.errors import CheckpointError, shown
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored, are_sizes

# Where scripts put the state_dict, the likeliest first.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "weights", "network", "module")
MOST_DEPTH = 8
MOST_ENTRIES = 100_000
_DTYPES = {"f2": torch.float16, "f4": torch.float32, "f8": torch.float64}  # of NumPy arrays


@dataclass(frozen=True)
class Found:
    """The entries of a state_dict, in which a value that is no tensor is Inert or plain. Also their
    place in the file (empty for the whole file), the classes of the modules that held them, and the
    long name of the variant that the file declares, if any."""

    entries: dict[str, object]
    place: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    note: str = ""
    variant: str = ""

    @property
    def is_recurrent(self) -> bool:
        return any("weight_hh" in key or "_all_weight_values" in key for key in self.entries)

    @property
    def words(self) -> str:
        """Return in words the place of the entries, or nothing for a plain state_dict."""
        where = f"under {'.'.join(self.place)!r}" if self.place else ""
        module = f"from a whole module, {self.classes[0]}" if self.classes else ""
        return "; ".join(filter(None, (" ".join(filter(None, (module, where))), self.note)))


def find_weights(content: object, path: str) -> Found:
    """Return the only model in a file's content. Raises CheckpointError for none or several."""
    try:
        found = [model for model in _candidates(content, (), set()) if model.entries]
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"the weights {path!r} are damaged: {shown(error)}") from None
    recurrent = [model for model in found if model.is_recurrent]
    if len(recurrent) > 1:
        recurrent = _likeliest(recurrent)
    if len(recurrent) > 1:
        places = shown(", ".join(repr(".".join(model.place)) for model in recurrent[:4]))
        raise CheckpointError(
            f"the weights {path!r} hold {len(recurrent)} models, under {places}: save one alone"
        )
    if recurrent:
        return recurrent[0]
    if found:  # its keys tell its kind
        return max(found, key=lambda model: len(model.entries))
    kind = content.name if isinstance(content, Inert) else type(content).__name__
    kind = "Tensor" if isinstance(content, Stored) else kind
    # An object's own code may know how to make weights, but no code of a file runs.
    advice = "save the weights alone, torch.save(model.state_dict(), path)"
    raise CheckpointError(
        f"the weights {path!r} must be a state_dict or hold one, got {shown(kind)} without one: "
        + advice
    )


def _likeliest(found: list[Found]) -> list[Found]:
    for name in WRAPPERS:
        named = [model for model in found if model.place[:1] == (name,)]
        if named:
            return named
    return found


def _candidates(content: object, place: tuple[str, ...], seen: set[int]) -> Iterator[Found]:
    """Yield every module and every dictionary with tensors, only the outermost ones."""
    if len(place) > MOST_DEPTH or id(content) in seen or len(seen) > MOST_ENTRIES:
        return
    seen.add(id(content))
    children = {}
    if _is_module(content):
        entries, classes = {}, []
        _collect(content, "", entries, classes, 0)
        yield Found(entries, place, tuple(classes))
    elif isinstance(content, Inert):
        children = content.entries or (content.state if isinstance(content.state, dict) else {})
    elif isinstance(content, dict):
        children = content
    elif isinstance(content, list | tuple):
        children = {str(i): item for i, item in enumerate(content)}
    if isinstance(content, dict | Inert) and children:
        entries = {_key(key): _tensor(value) for key, value in children.items()}
        found = Found(entries, place)
        if any(isinstance(value, Stored) for value in entries.values()):
            yield found
        if found.is_recurrent:
            return
    for key, value in children.items():
        yield from _candidates(value, (*place, _key(key)[:40]), seen)


def _key(key: object) -> str:
    return key if isinstance(key, str) else shown(key)


def _tensor(value: object) -> object:
    """Return a NumPy array of a pickle as a stored tensor if it is fp16, fp32 or fp64; other values
    as they are. Raises ValueError if the array is damaged."""
    if not (isinstance(value, Inert) and value.name == "numpy.ndarray"):
        return value
    if not isinstance(value.state, tuple):
        return value
    _version, shape, dtype, is_fortran, content = value.state
    code = dtype.args[0] if isinstance(dtype, Inert) and dtype.args else None
    is_big = isinstance(dtype, Inert) and isinstance(dtype.state, tuple) and ">" in dtype.state
    if code not in _DTYPES or is_big:
        return value
    content = content.encode("latin1") if isinstance(content, str) else content
    kind, shape = _DTYPES[code], tuple(shape)
    count = math.prod(shape) if are_sizes(*shape) else -1
    if count * kind.itemsize != len(content):
        raise ValueError(f"an array of shape {shown(shape, 40)} has {len(content):,} bytes")

    def read() -> Tensor:
        flat = torch.frombuffer(bytearray(content), dtype=kind)
        if is_fortran:
            return flat.view(shape[::-1]).permute(*reversed(range(len(shape))))
        return flat.view(shape)

    return Stored(shape, kind, read, id(value), count)


def _is_module(value: object) -> bool:
    state = value.state if isinstance(value, Inert) else None
    return isinstance(state, dict) and isinstance(state.get("_modules"), dict)


def _collect(module: Inert, prefix: str, entries: dict, classes: list, depth: int) -> None:
    """Return a module's entries under the names that its `state_dict` gives them. Raises
    ValueError."""
    if depth > MOST_DEPTH or len(entries) > MOST_ENTRIES or len(classes) > MOST_ENTRIES:
        raise ValueError(
            f"its modules must be at most {MOST_DEPTH} deep, with {MOST_ENTRIES:,} tensors at most"
        )
    classes.append(module.name)
    for kind in ("_parameters", "_buffers"):
        own = module.state.get(kind)
        for key, value in own.items() if isinstance(own, dict) else ():
            if value is not None:
                entries[f"{prefix}{_key(key)}"] = _tensor(value)
    for key, child in module.state["_modules"].items():
        if _is_module(child):
            _collect(child, f"{prefix}{_key(key)}.", entries, classes, depth + 1)
