"""The scripts of an export, which run the model without wlm, in a few lines."""

from wlm.exporting.formats import NEEDS
from wlm.model.int4 import BLOCK
from wlm.model.lstm import ModelConfig
from wlm.model.parts import PARTS
from wlm.quantization.pytorch import qconfigs
from wlm.quantization.snippet import engine_source, quantize_dynamic_source
from wlm.quantization.variant import Variant

_TORCH = '''\
"""Runs this folder's model with {alone} alone: python load.py"""

from pathlib import Path

import torch
{imports}from torch import nn

HERE = Path(__file__).parent


class LSTMModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding({ntoken}, {ninp})
        self.rnn = nn.LSTM({ninp}, {nhid}, {nlayers})
        self.decoder = nn.Linear({nhid}, {ntoken})

    def forward(self, words, hidden=None):  # ids (T, B); the state, h and c (L, B, H)
        output, hidden = self.rnn(self.encoder(words){to_lstm}, hidden)
        return self.decoder(output{to_linear}){to_loss}, hidden  # logits (T, B, V)


{making}
{check}
total, hidden = 0.0, None
torch.set_num_threads(1)
ids = torch.tensor(ids).view(-1, 1)
with torch.inference_mode():
    for i in range(0, len(ids) - 1, 25):
        targets = ids[i + 1 : i + 26].view(-1)
        logits, hidden = model(ids[i : i + len(targets)], hidden)
        loss = nn.functional.cross_entropy(logits.view(len(targets), -1), targets)
        total += len(targets) * loss.item()
print("loss", total / (len(ids) - 1))
'''
_CHECK = """\
# The loss on check.txt, in nats per word, which must equal card.json's.
words = (HERE / "vocab.txt").read_text("utf-8").split()
index = {word: i for i, word in enumerate(words)}
ids = [index[word] for word in (HERE / "check.txt").read_text("utf-8").split()]
"""
_FLOATS = """\
model = LSTMModel().eval()
{in_bf16}model.load_state_dict({weights})
"""
_QUANTIZED = """\
{engine}{model}{in_bf16}# The file runs no code: it may name one class, PyTorch's packed weights.
with torch.serialization.safe_globals([torch.ScriptObject]):
    model.load_state_dict(torch.load(HERE / "model.pt", weights_only=True))
"""
_ONNX = '''\
"""Runs this folder's model with ONNX Runtime and NumPy alone: python load.py"""

from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
{exact}session = onnxruntime.InferenceSession(
    str(HERE / "model.onnx"), options, providers=["CPUExecutionProvider"]
)

{check}
total, ids = 0.0, np.array(ids).reshape(-1, 1)
h = c = np.zeros(({nlayers}, 1, {nhid}), np.float32)
for i in range(0, len(ids) - 1, 25):
    targets = ids[i + 1 : i + 26, 0]
    feed = {{"input": ids[i : i + len(targets)], "h": h, "c": c}}
    logits, h, c = session.run(["logits", "next_h", "next_c"], feed)
    logits = logits[:, 0].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    picked = logits[np.arange(len(targets)), targets]
    total -= float((picked - np.log(np.exp(logits).sum(axis=1))).sum())
print("loss", total / (len(ids) - 1))
'''
_EXACT = """\
# x86 CPUs without VNNI cut int8 sums off at 16 bits unless this is set; with VNNI leave it away,
# it only takes time.
options.add_session_config_entry("session.x64quantprecision", "1")
"""
_NPZ = '''\
"""Runs this folder's weights with NumPy alone, in fp32: python load.py"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

with np.load(HERE / "model.npz") as file:
    arrays = {{name: file[name] for name in file}}
weights = {{}}
for name, array in arrays.items():
    weights[name] = array.astype(np.float32)
    if name + ".zero_point" in arrays:  # integers
        weights[name] -= arrays[name + ".zero_point"]
        weights[name] *= arrays[name + ".scale"]
{blocks}

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(word, h, c):
    """Return the logits (V,) after a word, and the next state (L, H) twice."""
    x, h, c = weights["encoder.weight"][word], h.copy(), c.copy()
    for layer in range({nlayers}):
        gates = 0
        for way, inputs in (("ih", x), ("hh", h[layer])):
            gates += weights[f"rnn.weight_{{way}}_l{{layer}}"] @ inputs
            gates += weights[f"rnn.bias_{{way}}_l{{layer}}"]
        i, f, g, o = np.split(gates, 4)
        c[layer] = sigmoid(f) * c[layer] + sigmoid(i) * np.tanh(g)
        x = h[layer] = sigmoid(o) * np.tanh(c[layer])
    return weights["decoder.weight"] @ x + weights["decoder.bias"], h, c


{check}
total, h = 0.0, np.zeros(({nlayers}, {nhid}), np.float32)
c = h
for word, target in zip(ids[:-1], ids[1:]):
    logits, h, c = step(word, h, c)
    total += float(np.log(np.exp(logits - logits.max()).sum()) - (logits[target] - logits.max()))
print("loss", total / (len(ids) - 1))
'''
_BLOCKS = """\
    elif name + ".scale" in arrays:  # 4-bit integers
        scales = np.repeat(arrays[name + ".scale"], {block}, axis=1)  # of {block} numbers
        weights[name] *= scales[:, : array.shape[1]]
"""


def loader(config: ModelConfig, variant: Variant, format: str) -> str:
    """Return the script that runs an export and prints its loss on the words of its check."""
    sizes = {"check": _CHECK, **vars(config)}
    if format == "npz":
        blocks = _BLOCKS.format(block=BLOCK) if "int4" in variant.parts_by_precision() else ""
        return _NPZ.format(blocks=blocks, **sizes)
    if format == "onnx":
        return _ONNX.format(exact=_EXACT if variant.parts_by_precision() else "", **sizes)
    load_file = "from safetensors.torch import load_file\n"
    return _TORCH.format(
        alone=NEEDS[format],
        imports=load_file if format == "safetensors" else "",
        making=_making(variant, format),
        to_lstm=_cast(variant.embedding, variant.lstm),
        to_linear=_cast(variant.lstm, variant.linear),
        to_loss=_cast(variant.linear, "fp32"),
        **sizes,
    )


def _making(variant: Variant, format: str) -> str:
    in_bf16 = _in_bf16(variant)
    if qconfigs(variant):
        made = quantize_dynamic_source(variant, "LSTMModel().eval()", "model")
        return _QUANTIZED.format(engine=engine_source(variant), model=made, in_bf16=in_bf16)
    weights = 'torch.load(HERE / "model.pt", weights_only=True)'
    if format == "safetensors":
        weights = 'load_file(HERE / "model.safetensors")'
    return _FLOATS.format(in_bf16=in_bf16, weights=weights)


def _in_bf16(variant: Variant) -> str:
    """Return the lines that make bf16 those parts of a model that are bf16 in the variant."""
    parts = variant.parts_by_precision().get("bf16", [])
    return "".join(f"model.{PARTS[part].module}.to(torch.bfloat16)\n" for part in parts)


def _cast(before: str, after: str) -> str:
    """Return the conversion between two parts: all parts but bf16 ones take and return fp32."""
    if (before == "bf16") == (after == "bf16"):
        return ""
    return ".bfloat16()" if after == "bf16" else ".float()"
