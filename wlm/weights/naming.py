"""Match a file's tensors with an LSTMModel's: by their names, or else by their shapes."""

import re
from collections.abc import Collection, Iterable
from itertools import islice, takewhile

from wlm.errors import MOST_SHOWN, CheckpointError, SettingError, shown
from wlm.model.lstm import ModelConfig
from wlm.weights.foreign import Found
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored

_RECURRENT = re.compile(r"(.*?)(weight|bias)_(ih|hh)_l(\d{1,3})(_raw)?")
_EMBEDDING_NAMES = ("emb", "encoder", "lookup", "wte", "token")
_LINEAR_NAMES = ("decoder", "linear", "fc", "out", "head", "proj", "logit")
_SHOWN = 3  # keys in a message
_MOST_QUOTED = MOST_SHOWN // 2  # characters: a message has two lists of keys at most
MOST_STACKS, MOST_MATRICES = 64, 1_000
Tensors = dict[str, Stored]  # by the file's keys
Keys = dict[str, str]  # ours to the file's
# A model's tensors by its own keys (None for missing biases, which are zeros), its sizes, and in
# words which tensor was matched with which key; empty if the file has the model's own keys.
Named = tuple[dict[str, Stored | None], ModelConfig, str]


def name_tensors(found: Found, path: str) -> Named:
    """Return an LSTMModel's tensors from a file's tensors.

    Raises CheckpointError if a tensor is missing, has two candidates, or has no use.
    """
    for key, value in found.entries.items():
        if isinstance(value, Inert) and key.rpartition(".")[2].startswith(("weight", "bias")):
            name, kind = shown(key, 50), shown(value.name, 50)
            raise CheckpointError(f"{name!r} in {path!r} must be a plain tensor, got {kind}")
    tensors = {key: value for key, value in found.entries.items() if isinstance(value, Stored)}
    try:
        return _named(tensors)
    except (ValueError, SettingError) as problem:
        keys = [f"{key!r} {tensor.shape}" for key, tensor in islice(tensors.items(), _SHOWN)]
        first = shown(", ".join(keys), _MOST_QUOTED) + (" …" if len(tensors) > _SHOWN else "")
        raise CheckpointError(
            f"the weights {path!r} are not an LSTMModel's (embedding (V, E), LSTM, output "
            f"layer (V, H)): {problem}; "
            + (f"the file's first keys are {first}" if keys else "the file has no tensors")
        ) from None


def _named(tensors: Tensors) -> Named:
    """Return an LSTMModel's tensors. Raises ValueError or SettingError with the problem."""
    stacks = _stacks(tensors)
    keys = _lstm_keys(stacks)
    inputs, hidden = _lstm_sizes(tensors, keys)
    root = _own_root(tensors, stacks)
    if root is None:
        keys |= _outer_keys(tensors, keys.values(), inputs, hidden)
    else:
        outer = ("encoder.weight", "decoder.weight", "decoder.bias")
        keys |= {key: root + key for key in outer if root + key in tensors}
    ntoken, ninp = _matrix_shape(tensors, keys["encoder.weight"])
    config = ModelConfig(ntoken, ninp, hidden, sum(key.startswith("rnn.weight_hh") for key in keys))
    left = _left_out(tensors, keys.values(), config)
    ours = {key: tensors.get(keys.get(key)) for key in config.shapes()}
    return ours, config, _words(keys, root, list(stacks), ours, left)


def _stacks(tensors: Tensors) -> dict[str, Keys]:
    """Return the recurrent keys by their prefix, each as our key to the file's key."""
    stacks: dict[str, Keys] = {}
    for key in tensors:
        if found := _RECURRENT.fullmatch(key):
            prefix, kind, way, layer, raw = found.groups()
            own = f"{kind}_{way}_l{int(layer)}"
            # If weights are dropped, training changed the raw weights.
            if raw or own not in stacks.get(prefix, {}):
                stacks.setdefault(prefix, {})[own] = key
    if len(stacks) > MOST_STACKS:
        raise ValueError(f"they have {len(stacks):,} LSTMs, at most {MOST_STACKS} are read")
    if not stacks:
        raise ValueError("they have no LSTM, weight_ih_l0 (4H, E) and weight_hh_l0 (4H, H)")
    if len({re.sub(r"\d+", "0", prefix) for prefix in stacks}) > 1:
        names = _listed(list(stacks)[:4])
        raise ValueError(f"they have several LSTMs, {names}, whose order is not known")
    return {prefix: stacks[prefix] for prefix in sorted(stacks, key=_natural)}


def _lstm_keys(stacks: dict[str, Keys]) -> Keys:
    """Return the LSTM's keys. Stacks, which differ only by a number, are one LSTM."""
    is_biased = any(name.startswith("bias") for stack in stacks.values() for name in stack)
    kinds = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") * is_biased))
    keys, layer = {}, 0
    for prefix, stack in stacks.items():
        for i in range(1 + max(int(name.rpartition("l")[2]) for name in stack)):
            for kind in kinds:
                if f"{kind}_l{i}" not in stack:
                    raise ValueError(f"they miss {_listed([f'{prefix}{kind}_l{i}'])}")
                keys[f"rnn.{kind}_l{layer}"] = stack[f"{kind}_l{i}"]
            layer += 1
    return keys


def _lstm_sizes(tensors: Tensors, keys: Keys) -> tuple[int, int]:
    """Return the LSTM's inputs and its hidden units, the same number for all layers."""
    inputs = _matrix_shape(tensors, keys["rnn.weight_ih_l0"])[1]
    recurrent = [key for name, key in keys.items() if name.startswith("rnn.weight_hh")]
    hidden = [_matrix_shape(tensors, key)[1] for key in recurrent]
    if len(set(hidden)) > 1:
        sizes = _listed(hidden)
        raise ValueError(f"their layers must have equally many hidden units, got {sizes}")
    return inputs, hidden[0]


def _matrix_shape(tensors: Tensors, key: str) -> tuple[int, ...]:
    shape = tensors[key].shape
    if len(shape) != 2:
        raise ValueError(f"{_listed([key])} must have two dimensions, got {len(shape):,}")
    return shape


def _own_root(tensors: Tensors, stacks: dict[str, Keys]) -> str | None:
    """Return the prefix of our names in the file; None if the file has other names."""
    (prefix, stack), *others = stacks.items()
    root = prefix.removesuffix("rnn.")
    is_raw = any(key.endswith("_raw") for key in stack.values())
    if others or is_raw or not (prefix == "rnn." or prefix.endswith(".rnn.")):
        return None
    return root if {root + "encoder.weight", root + "decoder.weight"} <= tensors.keys() else None


def _outer_keys(tensors: Tensors, used: Collection[str], inputs: int, hidden: int) -> Keys:
    """Return the keys of the embedding and of the output layer, by their shapes."""
    matrices = {
        key: tensor for key, tensor in tensors.items() if len(tensor.shape) == 2 and key not in used
    }
    if len(matrices) > MOST_MATRICES:
        raise ValueError(
            f"they have {len(matrices):,} matrices, too many to tell which is the embedding"
        )
    pairs = [
        (first, second)
        for first, embedding in matrices.items()
        for second, linear in matrices.items()
        if first != second
        and (embedding.shape[1], linear.shape[1]) == (inputs, hidden)
        and embedding.shape[0] == linear.shape[0]
    ]
    if not pairs and inputs not in {matrix.shape[1] for matrix in matrices.values()}:
        raise ValueError(f"they have no embedding (V, {inputs})")
    if not pairs:
        raise ValueError(
            f"they have no output layer (V, {hidden}) of as many words as the embedding"
        )
    scores = [_score(tensors, *pair) for pair in pairs]
    best = [pair for pair, score in zip(pairs, scores, strict=True) if score == max(scores)]
    # If two have the same numbers, either will do.
    if len({(matrices[a].place, matrices[b].place) for a, b in best}) > 1:
        names = _listed(dict.fromkeys(sum(best, ())))
        raise ValueError(f"the embedding and the output layer could be any of {names}")
    embedding, linear = best[0]
    keys = {"encoder.weight": embedding, "decoder.weight": linear}
    bias = _own_bias(tensors, linear)
    if bias is None:  # it may have another name, or the layer has none
        words = tensors[linear].shape[:1]
        others = [key for key in tensors if tensors[key].shape == words and key not in used]
        bias = others[0] if len(others) == 1 else None
    return keys | ({"decoder.bias": bias} if bias else {})


def _score(tensors: Tensors, embedding: str, linear: str) -> int:
    """Return a score for how likely two matrices are the embedding and the output layer."""

    def has(key: str, names: tuple[str, ...]) -> bool:
        return any(name in key.lower() for name in names)

    return (
        2 * (_own_bias(tensors, linear) is not None)
        - 2 * (_own_bias(tensors, embedding) is not None)
        + has(embedding, _EMBEDDING_NAMES)
        + has(linear, _LINEAR_NAMES)
        - has(embedding, _LINEAR_NAMES)
        - has(linear, _EMBEDDING_NAMES)
    )


def _own_bias(tensors: Tensors, matrix: str) -> str | None:
    """Return the key of the bias that is named like a matrix, if there is one."""
    key = matrix.removesuffix("weight") + "bias"
    bias = tensors.get(key) if matrix.endswith("weight") else None
    return key if bias and bias.shape == tensors[matrix].shape[:1] else None


def _left_out(tensors: Tensors, used: Collection[str], config: ModelConfig) -> list[str]:
    """Return the keys to leave out: none of them is among the model's own."""
    module = _common_module(used)
    # If there is a raw weight too, the other one is the raw weight after dropping.
    used = {*used, *(key.removesuffix("_raw") for key in used)}
    left = [key for key in tensors if key not in used]
    if inside := [key for key in left if key.startswith(module)]:
        raise ValueError(
            f"besides an LSTMModel of {config.nlayers} layers, they have unknown {_first(inside)}"
        )
    return left


def _words(
    keys: Keys, root: str | None, prefixes: list[str], tensors: dict, left: list[str]
) -> str:
    said = []
    if root is None:
        lstm = " and ".join(f"'{prefix}*'" for prefix in prefixes)
        linear = " and ".join(
            repr(keys[key]) for key in ("decoder.weight", "decoder.bias") if key in keys
        )
        said.append(
            f"{keys['encoder.weight']!r} taken for the embedding, {lstm} for the LSTM, "
            f"{linear} for the output layer"
        )
    elif root:
        said.append(f"keys taken without their beginning {root!r}")
    absent = [key for key, tensor in tensors.items() if tensor is None]
    layers = (("rnn.", "the LSTM"), ("decoder.", "the output layer"))
    unbiased = [words for start, words in layers if any(key.startswith(start) for key in absent)]
    if unbiased:
        said.append(f"no biases in {' and '.join(unbiased)}, so zeros")
    if left:
        said.append(f"left out: {_first(left)}")
    return "; ".join(said)


def _first(keys: list[str]) -> str:
    return _listed(keys[:_SHOWN]) + (" …" if len(keys) > _SHOWN else "")


def _listed(content: Iterable[str | int]) -> str:
    """Return keys or sizes of a file in a list for a message."""
    return shown(", ".join(map(repr, content)), _MOST_QUOTED)


def _natural(text: str) -> list:
    """Return a sort key that puts 10 after 9."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]


def _common_module(keys: Collection[str]) -> str:
    """Return the module that holds all keys, with its final dot; empty for the file itself."""
    modules = zip(*(key.split(".")[:-1] for key in keys), strict=False)
    shared = takewhile(lambda names: len(set(names)) == 1, modules)
    return "".join(f"{name}." for name, *_ in shared)
