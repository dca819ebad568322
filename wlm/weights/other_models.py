"""Models that cannot run here, recognized by their keys and shapes, and their names."""

from wlm.errors import CheckpointError
from wlm.weights.foreign import Found
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored

_TRAIN = "train a one-directional nn.LSTM, or with `python -m wlm train`"
_ONLY_LSTM = f"only LSTM models run here: {_TRAIN}"
_ATTENTION = ("attn", "attention", "in_proj_weight", "transformer", "q_proj")


def refuse_others(found: Found, path: str) -> None:
    """Raise CheckpointError, with advice, for a model that is known not to run here."""
    if kind := _kind(found):
        raise CheckpointError(f"the weights {path!r} are {kind}")


def _kind(found: Found) -> str:
    """Return whose weights they are, and what to do; nothing if they may be an LSTM's."""
    entries = found.entries
    if any(_is_quantized(key, value) for key, value in entries.items()) or any(
        ".quantized." in name for name in found.classes
    ):
        return (
            "already quantized, in a form that cannot be read: give the state_dict of the "
            "quantized model or, better, of the fp32 one"
        )
    if any(key.endswith("_reverse") for key in entries):
        return f"a bidirectional LSTM's, which reads the words that it should predict: {_TRAIN}"
    if any("weight_hr_l" in key for key in entries):
        return "an LSTM's with proj_size, which no quantized LSTM has: train it with proj_size=0"
    recurrent = [
        value.shape
        for key, value in entries.items()
        if "weight_hh" in key and isinstance(value, Stored) and len(value.shape) == 2
    ]
    if not recurrent:
        names = (*map(str.lower, entries), *map(str.lower, found.classes))
        if any(sign in name for name in names for sign in _ATTENTION):
            return f"a Transformer's; {_ONLY_LSTM}"
    times = {rows / columns for rows, columns in recurrent if columns}
    if times == {3}:
        return f"a GRU's (3H rows instead of an LSTM's 4H); {_ONLY_LSTM}"
    if times == {1}:
        return f"a plain RNN's (H rows instead of an LSTM's 4H); {_ONLY_LSTM}"
    if times == {4} and not any("weight_hh_l" in key for key in entries):
        return "of LSTM cells called one by one: copy them into an nn.LSTM of as many layers"
    return ""


def _is_quantized(key: str, value: object) -> bool:
    return (
        "_packed_params" in key
        or "_all_weight_values" in key
        or (
            isinstance(value, Inert)
            and value.name in ("torch.ScriptObject", "torch._utils._rebuild_qtensor")
        )
    )
