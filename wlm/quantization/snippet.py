"""The script that makes a variant, shown on pages for visitors to copy and run."""

from wlm.model.parts import PARTS
from wlm.quantization.pytorch import qconfigs
from wlm.quantization.variant import Variant

PYTORCH = """\
{standard}import os

import torch
from torch import nn

from wlm import load_checkpoint
{own}
model = load_checkpoint({folder!r}).model
{making}
print(quantized)

for shown in model, quantized:
    torch.save(shown.state_dict(), "temp.p")
    print(f"{{os.path.getsize('temp.p') / 1e6:.1f}} MB")
    os.remove("temp.p")
"""
ONNX = """\
import os
{standard}
import torch
{imports}
from wlm import load_checkpoint
{own}
model = load_checkpoint({folder!r}).model
words, (h, c) = torch.zeros(3, 2, dtype=torch.int64), model.init_hidden(2)
states = dict.fromkeys(["h", "c", "next_h", "next_c"], {{1: "batch"}})
text = dict.fromkeys(["input", "logits"], {{0: "length", 1: "batch"}})
torch.onnx.export(
    model,
    (words, (h, c)),
    "temp.onnx",
    dynamo=False,
    opset_version=17,
    input_names=["input", "h", "c"],
    output_names=["logits", "next_h", "next_c"],
    dynamic_axes=states | text,
)
print(f"{{os.path.getsize('temp.onnx') / 1e6:.1f}} MB")
{making}
session = onnxruntime.InferenceSession("temp.onnx", providers=["CPUExecutionProvider"])
logits, h, c = session.run(None, {{"input": words.numpy(), "h": h.numpy(), "c": c.numpy()}})
print(logits.shape)
os.remove("temp.onnx")
"""


COPY = """\
quantized = copy.deepcopy(model)
"""
# PyTorch's builds for macOS support qnnpack and choose no engine.
ENGINE_LEFT_OFF = """\
if torch.backends.quantized.engine == "none":  # on Apple silicon
    torch.backends.quantized.engine = "qnnpack"
"""


def code_for(variant: Variant, model_folder: str) -> str:
    """Return a short script that loads the model, makes the variant and shows its size."""
    if variant.runtime == "pytorch":
        has_bf16 = "bf16" in variant.parts_by_precision()
        return PYTORCH.format(
            standard="import copy\n" if has_bf16 else "",
            folder=model_folder,
            own="from wlm.quantization.bf16 import in_bf16\n" if has_bf16 else "",
            making=_making(variant),
        )
    making, imports = _quantize_onnx(variant), "import onnxruntime\n"
    if "quantize_dynamic" in making:
        imports += "from onnxruntime.quantization import quantize_dynamic\n"
    in_int4 = "with_int4" in making
    return ONNX.format(
        folder=model_folder,
        standard="from pathlib import Path\n" if in_int4 else "",
        imports=imports,
        own="from wlm.quantization.onnx.int4 import with_int4\n" if in_int4 else "",
        making=making,
    )


def engine_source(variant: Variant) -> str:
    """Return the lines that set PyTorch's engine for a variant; none if PyTorch's choice will do on
    every machine that can run the variant."""
    if variant.engine:
        return f'torch.backends.quantized.engine = "{variant.engine}"\n'
    is_fp16 = "fp16" in variant.parts_by_precision()  # which qnnpack does not have
    return ENGINE_LEFT_OFF if variant.needs_engine and not is_fp16 else ""


def quantize_dynamic_source(variant: Variant, model: str, name: str) -> str:
    """Return the call that makes the quantized parts of a variant from a model, both by the names
    that the code gives them; nothing if no part is quantized."""
    names = qconfigs(variant)
    if not names:
        return ""
    kinds = {part: f"nn.{PARTS[part].label}" for part in names}
    call = f"{name} = torch.ao.quantization.quantize_dynamic(\n"
    dtypes = {"default_dynamic_qconfig": "torch.qint8", "float16_dynamic_qconfig": "torch.float16"}
    first, *others = set(names.values())
    if first in dtypes and not others:
        return f"{call}    {model}, {{{', '.join(kinds.values())}}}, dtype={dtypes[first]}\n)\n"
    settings = "".join(
        f"        {kinds[part]}: torch.ao.quantization.{qconfig},\n"
        for part, qconfig in names.items()
    )
    return f"{call}    {model},\n    {{\n{settings}    }},\n)\n"


def _making(variant: Variant) -> str:
    """The lines that turn `model` into `quantized`."""
    parts, source = variant.parts_by_precision(), ""
    if in_bf16 := parts.pop("bf16", []):
        modules = [f"quantized.{PARTS[part].module}" for part in in_bf16]
        source = COPY + "".join(f"{module} = in_bf16({module})\n" for module in modules)
    if parts:
        model = "quantized" if in_bf16 else "model"
        source += engine_source(variant) + quantize_dynamic_source(variant, model, "quantized")
    return source.rstrip() or "quantized = model  # every part stays in fp32"


def _quantize_onnx(variant: Variant) -> str:
    """The lines that quantize temp.onnx in place, and show its size."""
    lines = []
    by_precision = variant.parts_by_precision()
    in_int4 = by_precision.pop("int4", [])
    for precision, parts in by_precision.items():
        operators = [PARTS[part].operator for part in parts]
        per_channel = "    per_channel=True,\n" if precision == "int8-channel" else ""
        lines.append(
            f"""\
quantize_dynamic(
    "temp.onnx",
    "temp.onnx",
    op_types_to_quantize={operators!r},
{per_channel})"""
        )
    if in_int4:
        lines.append(
            f"""\
file = Path("temp.onnx")
file.write_bytes(with_int4(file.read_bytes(), {in_int4!r}))"""
        )
    if lines:
        lines.append("print(f\"{os.path.getsize('temp.onnx') / 1e6:.1f} MB\")")
    return "\n".join(lines)
