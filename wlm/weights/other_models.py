"""Models that cannot run here, recognized by their keys and shapes, and their names."""

from wlm.errors import CheckpointError
from wlm.weights.foreign import Found
from wlm.weights.pickled import Inert
from wlm.weights.stored import Stored

_TRAIN = "train a one-directional nn.LSTM, or with `python -m wlm train`"
_ATTENTION = ("attn", "attention", "in_proj_weight", "transformer", "q_proj")
_OTHERS = {
    "quantized": "already quantized, in a form that cannot be read: give the state_dict of "
    "the quantized model or, better, of the fp32 one",
    "bidirectional": "a bidirectional LSTM's, which reads the words that it should predict: "
    f"{_TRAIN}",
    "projected": "an LSTM's with proj_size, which no quantized LSTM has: train it with proj_size=0",
    "transformer": f"a Transformer's; only LSTM models run here: {_TRAIN}",
    "gru": f"a GRU's (3H rows instead of an LSTM's 4H); only LSTM models run here: {_TRAIN}",
    "rnn": f"a plain RNN's (H rows instead of an LSTM's 4H); only LSTM models run here: {_TRAIN}",
    "cells": "of LSTM cells called one by one: copy them into an nn.LSTM of as many layers",
}


def refuse_others(found: Found, path: str) -> None:
    """Raise CheckpointError, with advice, for a model that is known not to run here."""
    kind = _kind(found)
    if kind:
        raise CheckpointError(f"the weights {path!r} are {_OTHERS[kind]}")


def _kind(found: Found) -> str | None:
    entries = found.entries
    if any(_is_quantized(key, value) for key, value in entries.items()) or any(
        ".quantized." in name for name in found.classes
    ):
        return "quantized"
    if any(key.endswith("_reverse") for key in entries):
        return "bidirectional"
    if any("weight_hr_l" in key for key in entries):
        return "projected"
    recurrent = [
        value.shape
        for key, value in entries.items()
        if "weight_hh" in key and isinstance(value, Stored) and len(value.shape) == 2
    ]
    if not recurrent:
        names = (*map(str.lower, entries), *map(str.lower, found.classes))
        return "transformer" if any(sign in name for name in names for sign in _ATTENTION) else None
    times = {rows / columns for rows, columns in recurrent if columns}
    if times == {3}:
        return "gru"
    if times == {1}:
        return "rnn"
    if times == {4} and not any("weight_hh_l" in key for key in entries):
        return "cells"
    return None


def _is_quantized(key: str, value: object) -> bool:
    return (
        "_packed_params" in key
        or "_all_weight_values" in key
        or (
            isinstance(value, Inert)
            and value.name in ("torch.ScriptObject", "torch._utils._rebuild_qtensor")
        )
    )
