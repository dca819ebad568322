"""Match a file's tensors with an LSTMModel's: by their names, or else by their shapes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

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


@dataclass(frozen=True)
class Named:
    """A model's tensors by its own keys (None for missing biases, which are zeros), its sizes, and
    in words which tensor was matched with which key; empty if the file has the model's own keys."""

    tensors: dict[str, Stored | None]
    config: ModelConfig
    words: str


def name_tensors(found: Found, path: str) -> Named:
    """Return an LSTMModel's tensors from a file's tensors.

    Raises CheckpointError if a tensor is missing, has two candidates, or has no use.
    """
    for key, each in found.entries.items():
        if isinstance(each, Inert) and key.rpartition(".")[2].startswith(("weight", "bias")):
            raise CheckpointError(
                f"{shown(key, 50)!r} in {path!r} must be a plain tensor, got {shown(each.name, 50)}"
            )
    return _Names(found, path).named()


class _Names:
    def __init__(self, found: Found, path: str):
        self.path = path
        entries = found.entries.items()
        self.tensors = {key: each for key, each in entries if isinstance(each, Stored)}

    def named(self) -> Named:
        stacks = self._stacks()
        keys = self._layers(stacks)  # ours to the file's
        root = self._root(stacks)
        outer = ("encoder.weight", "decoder.weight")
        if root is not None and all(root + key in self.tensors for key in outer):
            outer = (*outer, "decoder.bias")
            keys.update({key: root + key for key in outer if root + key in self.tensors})
        else:
            root = None
            encoder, decoder = self._embedding_and_linear(keys)
            keys.update({"encoder.weight": encoder, "decoder.weight": decoder})
            if bias := self._bias(keys):
                keys["decoder.bias"] = bias
        config = self._config(keys)
        left = self._left(keys, config)
        tensors = {key: self.tensors.get(keys.get(key)) for key in config.shapes()}
        return Named(tensors, config, _words(keys, root, tensors, left))

    def _stacks(self) -> dict[str, dict[str, str]]:
        """Return the recurrent keys by their prefix, each as our key to the file's key."""
        stacks: dict[str, dict[str, str]] = {}
        for key in self.tensors:
            if found := _RECURRENT.fullmatch(key):
                prefix, kind, way, layer, raw = found.groups()
                own = f"{kind}_{way}_l{int(layer)}"
                # If weights are dropped, training changed the raw weights.
                if raw or own not in stacks.get(prefix, {}):
                    stacks.setdefault(prefix, {})[own] = key
        if len(stacks) > MOST_STACKS:
            raise self._foreign(f"they have {len(stacks):,} LSTMs, at most {MOST_STACKS} are read")
        if not stacks:
            raise self._foreign("they have no LSTM, weight_ih_l0 (4H, E) and weight_hh_l0 (4H, H)")
        return stacks

    def _layers(self, stacks: dict[str, dict[str, str]]) -> dict[str, str]:
        """Return the LSTM's keys, ours to the file's; stacks that differ only by number are one."""
        if len({re.sub(r"\d+", "0", prefix) for prefix in stacks}) > 1:
            names = _listed(list(stacks)[:4])
            raise self._foreign(f"they have several LSTMs, {names}, whose order is not known")
        keys, layer = {}, 0
        for prefix in sorted(stacks, key=_natural):
            own = stacks[prefix]
            count = 1 + max(int(key.rpartition("l")[2]) for key in own)
            biased = any(key.startswith("bias") for each in stacks.values() for key in each)
            for i in range(count):
                for kind in ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") * biased)):
                    if f"{kind}_l{i}" not in own:
                        raise self._foreign(f"they miss {_listed([f'{prefix}{kind}_l{i}'])}")
                    keys[f"rnn.{kind}_l{layer + i}"] = own[f"{kind}_l{i}"]
            layer += count
        return keys

    def _root(self, stacks: dict[str, dict[str, str]]) -> str | None:
        """Return the prefix of our own names in the file; None if the file has other names."""
        (prefix, *others) = stacks
        is_ours = not others and (prefix == "rnn." or prefix.endswith(".rnn."))
        is_ours = is_ours and not any(key.endswith("_raw") for key in stacks[prefix].values())
        return prefix.removesuffix("rnn.") if is_ours else None

    def _embedding_and_linear(self, keys: dict[str, str]) -> tuple[str, str]:
        inputs, hidden = self._width("rnn.weight_ih_l0", keys), self._hidden(keys)[0]
        matrices = {
            key: each
            for key, each in self.tensors.items()
            if len(each.shape) == 2 and key not in keys.values()
        }
        if len(matrices) > MOST_MATRICES:
            raise self._foreign(
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
        if not pairs:
            has = {each.shape[1] for each in matrices.values()}
            what = (
                f"no embedding (V, {inputs})"
                if inputs not in has
                else (f"no output layer (V, {hidden}) of as many words as the embedding")
            )
            raise self._foreign(f"they have {what}")
        if len(pairs) > 1:
            scores = [self._score(*pair) for pair in pairs]
            best = [pair for pair, score in zip(pairs, scores, strict=True) if score == max(scores)]
            # If two have the same numbers, either will do.
            if len({(matrices[a].place, matrices[b].place) for a, b in best}) > 1:
                names = _listed(dict.fromkeys(sum(best, ())))
                raise self._foreign(f"the embedding and the output layer could be any of {names}")
            pairs = best
        return pairs[0]

    def _score(self, embedding: str, linear: str) -> int:
        """Return a score for how likely two matrices are the embedding and the output layer."""
        return (
            2 * (self._own_bias(linear) is not None)
            - 2 * (self._own_bias(embedding) is not None)
            + any(each in embedding.lower() for each in _EMBEDDING_NAMES)
            + any(each in linear.lower() for each in _LINEAR_NAMES)
            - any(each in embedding.lower() for each in _LINEAR_NAMES)
            - any(each in linear.lower() for each in _EMBEDDING_NAMES)
        )

    def _own_bias(self, matrix: str) -> str | None:
        key = matrix.removesuffix("weight") + "bias"
        bias = self.tensors.get(key) if matrix.endswith("weight") else None
        return key if bias and bias.shape == self.tensors[matrix].shape[:1] else None

    def _bias(self, keys: dict[str, str]) -> str | None:
        """Return the output layer's bias; a layer may have none."""
        decoder = keys["decoder.weight"]
        if own := self._own_bias(decoder):
            return own
        words = self.tensors[decoder].shape[:1]
        others = [
            key
            for key, each in self.tensors.items()
            if each.shape == words and key not in keys.values()
        ]
        return others[0] if len(others) == 1 else None

    def _config(self, keys: dict[str, str]) -> ModelConfig:
        shape = self.tensors[keys["encoder.weight"]].shape
        hidden = self._hidden(keys)
        try:
            ntoken, ninp = shape
            return ModelConfig(ntoken, ninp, hidden[0], len(hidden))
        except (ValueError, SettingError) as error:
            raise self._foreign(str(error)) from None

    def _hidden(self, keys: dict[str, str]) -> list[int]:
        """Return the hidden units per layer, the same number for all layers."""
        layers = sum(key.startswith("rnn.weight_hh") for key in keys)
        hidden = [self._width(f"rnn.weight_hh_l{i}", keys) for i in range(layers)]
        if len(set(hidden)) > 1:
            sizes = _listed(hidden)
            raise self._foreign(f"their layers must have equally many hidden units, got {sizes}")
        return hidden

    def _width(self, key: str, keys: dict[str, str]) -> int:
        shape = self.tensors[keys[key]].shape
        if len(shape) != 2:
            key = _listed([keys[key]])
            raise self._foreign(f"{key} must have two dimensions, got {len(shape):,}")
        return shape[1]

    def _left(self, keys: dict[str, str], config: ModelConfig) -> list[str]:
        """Return the keys to leave out: none of them is among the model's own."""
        used = set(keys.values())
        common = _common_module(used)
        # If there is a raw weight too, the other one is the raw weight after dropping.
        used |= {key.removesuffix("_raw") for key in used}
        left = [key for key in self.tensors if key not in used]
        inside = [key for key in left if key.startswith(common)]
        if inside:
            names = _listed(inside[:3]) + (" …" if len(inside) > 3 else "")
            raise self._foreign(
                f"beside an LSTMModel of {config.nlayers} layers they have unknown {names}"
            )
        return left

    def _foreign(self, problem: str) -> CheckpointError:
        keys = [f"{key!r} {tensor.shape}" for key, tensor in islice(self.tensors.items(), _SHOWN)]
        first = shown(", ".join(keys), _MOST_QUOTED) + (" …" if len(self.tensors) > _SHOWN else "")
        return CheckpointError(
            f"the weights {self.path!r} are not an LSTMModel's (embedding (V, E), LSTM, output "
            f"layer (V, H)): {problem}; "
            + (f"the file's first keys are {first}" if keys else "the file has no tensors")
        )


def _words(keys: dict, root: str | None, tensors: dict, left: list[str]) -> str:
    said = []
    if root is None:
        stacks = dict.fromkeys(
            _RECURRENT.fullmatch(keys[key]).group(1) for key in keys if key.startswith("rnn.")
        )
        lstm = " and ".join(f"'{prefix}*'" for prefix in sorted(stacks, key=_natural))
        linear = " and ".join(
            repr(keys[key]) for key in ("decoder.weight", "decoder.bias") if key in keys
        )
        said.append(
            f"{keys['encoder.weight']!r} taken for the embedding, {lstm} for the LSTM, "
            f"{linear} for the output layer"
        )
    elif root:
        said.append(f"keys taken without their beginning {root!r}")
    absent = [key for key, each in tensors.items() if each is None]
    if absent:
        what = "the LSTM" if absent[0].startswith("rnn.") else "the output layer"
        both = what != "the output layer" and "decoder.bias" in absent
        said.append(f"no biases in {what}{' and the output layer' if both else ''}, so zeros")
    if left:
        said.append(f"left out: {', '.join(map(repr, left[:3]))}{' …' if len(left) > 3 else ''}")
    return "; ".join(said)


def _listed(content: Iterable[str | int]) -> str:
    """Return keys or sizes of a file in a list for a message."""
    return shown(", ".join(map(repr, content)), _MOST_QUOTED)


def _natural(text: str) -> list:
    """Return a sort key that puts 10 after 9."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]


def _common_module(keys: set[str]) -> str:
    """Return the module that holds all keys, with its final dot; empty for the file itself."""
    first, last = min(keys), max(keys)
    same = 0
    while same < len(first) and first[same : same + 1] == last[same : same + 1]:
        same += 1
    return first[: first.rfind(".", 0, same) + 1]
