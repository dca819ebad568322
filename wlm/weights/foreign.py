"""A model's weights in a training script's file: a state_dict, wrapped or not, or a module."""

from collections.abc import Iterator
from dataclasses import dataclass

from wlm.errors import CheckpointError, shown
from wlm.weights.numpy_array import array_as_stored
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored

# Where scripts put the state_dict, the likeliest first.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "weights", "network", "module")
MOST_DEPTH = 8
MOST_ENTRIES = 100_000


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
        found = [each for each in _candidates(content, (), set()) if each.entries]
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"the weights {path!r} are damaged: {shown(error)}") from None
    recurrent = [each for each in found if each.is_recurrent]
    if len(recurrent) > 1:
        recurrent = _likeliest(recurrent)
    if len(recurrent) > 1:
        places = shown(", ".join(repr(".".join(each.place)) for each in recurrent[:4]))
        raise CheckpointError(
            f"the weights {path!r} hold {len(recurrent)} models, under {places}: save one alone"
        )
    if recurrent:
        return recurrent[0]
    if found:  # its keys tell its kind
        return max(found, key=lambda each: len(each.entries))
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
        named = [each for each in found if each.place[:1] == (name,)]
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
        children = {str(i): each for i, each in enumerate(content)}
    if isinstance(content, dict | Inert) and children:
        entries = {_key(key): _tensor(each) for key, each in children.items()}
        found = Found(entries, place)
        if any(isinstance(each, Stored) for each in entries.values()):
            yield found
        if found.is_recurrent:
            return
    for key, each in children.items():
        yield from _candidates(each, (*place, _key(key)[:40]), seen)


def _key(key: object) -> str:
    return key if isinstance(key, str) else shown(key)


def _tensor(value: object) -> object:
    return (array_as_stored(value) or value) if isinstance(value, Inert) else value


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
        for key, each in own.items() if isinstance(own, dict) else ():
            if each is not None:
                entries[f"{prefix}{_key(key)}"] = _tensor(each)
    for key, each in module.state["_modules"].items():
        if _is_module(each):
            _collect(each, f"{prefix}{_key(key)}.", entries, classes, depth + 1)
