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

| file | content |
|---|---|
| {file} | {holds} |
| vocab.txt | one word per line; a word's id is its line number, from 0 |
| load.py | runs the model with {needs} alone and prints its loss on check.txt |
| check.txt | {check_text} |
| card.json | the model's origin, the sha256 of {file}, and the loss on check.txt, {loss:.6f} nats |
| LICENSE.txt | the licenses of all files |

`python load.py` prints {prints}.
"""
_BACK = """\
wlm imports the folder, or a zip archive of it:

    python -m wlm evaluate --model FOLDER --variants {variant}
"""
_TORCH = """
To load the state_dict, make an fp32 model of the same sizes and quantize it with
`torch.ao.quantization.quantize_dynamic` and the same settings, as load.py does. LSTM layers are
stored as `torch.ScriptObject`: allow this type for `torch.load` with `weights_only=True`. Made with
torch {torch}. PyTorch has deprecated this API; later releases may lack it.
"""
_ONNX = """
| input | shape | type | |
|---|---|---|---|
| input | (T, B) | int64 | word ids: T steps of B texts |
| h, c | ({nlayers}, B, {nhid}) | float32 | the hidden state, zeros at the beginning |

| output | shape | type | |
|---|---|---|---|
| logits | (T, B, {ntoken}) | float32 | of the next word, after each step |
| next_h, next_c | ({nlayers}, B, {nhid}) | float32 | the hidden state after the last step |

T and B may have any value. Made with onnxruntime {onnxruntime}. On x86 CPUs without VNNI, int8 sums
saturate at 16 bits unless the session sets `session.x64quantprecision`, as load.py does.
"""
_NPZ = """
`numpy.load("model.npz")` returns one array per tensor of the model, with PyTorch's names. If the
array NAME has integers, the file also has NAME.scale and NAME.zero_point, of shape () for the whole
matrix or (R, 1) for one value per row:

    weight = (NAME - NAME.zero_point) * NAME.scale

{blocks}The rows of the LSTM's matrices and biases are the gates input, forget, cell and output,
{nhid} rows each. Biases are float32. load.py computes with these weights in fp32. {runtime} also
rounds the activations to 8 bits, so its loss differs from about the fourth digit on.
"""
_BLOCKS = """\
4-bit integers, from -7 to 7, take one byte each in this file. They have no NAME.zero_point, and
NAME.scale has one column per {block} columns of NAME. """
_LICENCE = """\
The weights in {file} and the words in vocab.txt: {weights}

load.py, README.md, and check.txt if it is part of the bundled text:

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
        "check_text": f"{check['tokens']} words of {check['text']}",
        "loss": check["loss"],
        "prints": "the same loss" if is_exact(variant, format) else "nearly the same loss",
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
    unknown = f"trained on {trained_on}" if trained_on else "as their author states"
    weights = card.get("licence") or unknown
    code = (ROOT / "LICENSE").read_text("utf-8")
    return _LICENCE.format(file=FILES[format], weights=weights, code=code)
