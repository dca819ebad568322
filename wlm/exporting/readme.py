"""The README and the license of an export."""

from wlm.exporting.formats import FILES, HOLDS, NEEDS, comes_back, is_exact
from wlm.model.int4 import BLOCK
from wlm.model.lstm import ModelConfig
from wlm.paths import ROOT
from wlm.quantization.variant import Variant, describe

_INTRODUCTION = """\
# {name}: {label}

An LSTM language model of {ntoken:,} words: embedding ({ntoken}, {ninp}), LSTM of {nlayers} layers
with {nhid} units each, linear layer ({ntoken}, {nhid}).

{about}

| file | what |
|---|---|
| {file} | {holds} |
| vocab.txt | the words, one a line: a word's id is its line, from 0 |
| load.py | runs the model with {needs} alone and prints its loss |
| check.txt | the words of that loss: {check_text} |
| card.json | where the model is from, the sha256 of {file}, and that loss, {loss:.6f} nats |
| LICENSE.txt | what may be done with them |

`python load.py` prints {prints}.
"""
_BACK = """\
wlm imports the folder, or a zip archive of it:

    python -m wlm evaluate --model FOLDER --variants {variant}
"""
_TORCH = """
The state_dict is loaded into the model that `torch.ao.quantization.quantize_dynamic` makes of an
fp32 one of the same sizes, with the same settings. An LSTM layer's entry is an object of PyTorch's
own, which `torch.load` takes with `weights_only=True` once it may name `torch.ScriptObject`.
Made with torch {torch}; the API is deprecated, and later releases may not have it.
"""
_ONNX = """
| input | shape | type | |
|---|---|---|---|
| input | (T, B) | int64 | word ids: T steps of B texts |
| h, c | ({nlayers}, B, {nhid}) | float32 | the hidden state, zeros at the beginning |

| output | shape | type | |
|---|---|---|---|
| logits | (T, B, {ntoken}) | float32 | the next word's, after each step |
| next_h, next_c | ({nlayers}, B, {nhid}) | float32 | the state to go on from |

T and B are free. Made with onnxruntime {onnxruntime}. On x86 CPUs without VNNI its int8 sums are
cut off at 16 bits unless a session has the setting `session.x64quantprecision`, as in load.py.
"""
_NPZ = """
`numpy.load("model.npz")` gives one array for each of the model's tensors, by PyTorch's names. Where
NAME is an array of integers, NAME.scale and NAME.zero_point stand beside it, of shape () for the
whole matrix or (R, 1) for its rows, and

    weight = (NAME - NAME.zero_point) * NAME.scale

in floats. {blocks}Rows of the LSTM's matrices and biases are gates, {nhid} each: input, forget,
cell, output. Biases are float32. load.py computes with these weights in fp32; {runtime} rounds what
is multiplied with them to 8 bits too, so its loss differs in the fourth digit or so.
"""
_BLOCKS = """\
Integers of 4 bits, from -7 to 7, a byte each here, have no NAME.zero_point, and NAME.scale has a
column for each {block} of their columns. """
_LICENCE = """\
The weights in {file}, the words in vocab.txt: {weights}

load.py, README.md, and check.txt where its words are the bundled text's:

{code}"""
_MORE = {"torch": _TORCH, "onnx": _ONNX, "npz": _NPZ, "safetensors": ""}


def readme(config: ModelConfig, variant: Variant, format: str, card: dict) -> str:
    """Return an export's README.md, Markdown."""
    check = card["check"]
    facts = {
        **vars(config),
        **card["made_with"],
        "name": card["name"],
        "label": variant.label,
        "variant": str(variant),
        "about": describe(variant),
        "file": FILES[format],
        "holds": HOLDS[format],
        "needs": NEEDS[format],
        "check_text": f"{check['tokens']} of {check['text']}",
        "loss": check["loss"],
        "prints": "that loss" if is_exact(variant, format) else "nearly that loss",
        "blocks": _BLOCKS.format(block=BLOCK) if "int4" in variant.parts_by_precision() else "",
        "runtime": "ONNX Runtime" if variant.runtime == "onnxruntime" else "PyTorch",
    }
    more = "" if format == "torch" and not variant.parts_by_precision() else _MORE[format]
    back = _BACK if comes_back(variant, format) else ""
    return (_INTRODUCTION + back + more).format(**facts)


def licence(format: str, card: dict) -> str:
    """Return an export's LICENSE.txt: the license of the weights, from their card, and of the
    code."""
    trained_on = card.get("trained_on")
    unknown = f"trained on {trained_on}" if trained_on else "as whoever made them states it"
    weights = card.get("licence") or unknown
    code = (ROOT / "LICENSE").read_text("utf-8")
    return _LICENCE.format(file=FILES[format], weights=weights, code=code)
