"""A variant's PyTorch module, its size, and the code that makes it.

The only module that touches torch.ao.quantization, which PyTorch has deprecated without a
replacement for LSTMs; the torch release is pinned for that reason.
"""

import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from wlm.errors import VariantError, WLMError
from wlm.model import LSTMModel
from wlm.variant import Variant

MODULE_TYPES = {"lstm": nn.LSTM, "linear": nn.Linear}


def quantize(model: LSTMModel, variant: Variant) -> LSTMModel:
    """Return the variant of an fp32 model; the model itself for fp32, else a new one.

    Raises VariantError where this machine has no quantized engine. Source: the tutorial,
    section 4 (`torch.quantization.quantize_dynamic`).
    """
    types = {kind for part, kind in MODULE_TYPES.items() if getattr(variant, part) == "int8"}
    if not types:
        return model
    if torch.backends.quantized.engine == "none":
        raise VariantError(f"{variant} needs a quantized engine, and PyTorch has none here")
    with warnings.catch_warnings():
        # Both deprecations are said once, in the app and README, rather than at each call.
        warnings.filterwarnings("ignore", message=".*torch.ao.quantization is deprecated")
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        return torch.ao.quantization.quantize_dynamic(model, types, dtype=torch.qint8)


def saved_bytes(model: nn.Module) -> int:
    """Return the bytes of the model's state_dict as `torch.save` writes it.

    Raises WLMError where no temporary file of that size can be written, neither on disk nor in
    memory. Source: the tutorial, section 4 (`print_size_of_model`); the archive holds the file's
    stem, so the file's name is the tutorial's too.
    """
    reasons = []
    for parent in (None, "/dev/shm"):  # the system's temporary folder, then Linux's memory
        try:
            with tempfile.TemporaryDirectory(prefix="wlm-", dir=parent) as folder:
                path = Path(folder) / "temp.p"
                torch.save(model.state_dict(), path)
                return path.stat().st_size
        except (OSError, RuntimeError) as error:
            reasons.append(str(error).splitlines()[0])
    raise WLMError(f"the model cannot be saved to measure its size: {'; '.join(reasons)}")


def code_for(variant: Variant, model_folder: str) -> str:
    """Return a short script that loads the model, makes the variant and shows it."""
    types = [
        f"nn.{kind.__name__}"
        for part, kind in MODULE_TYPES.items()
        if getattr(variant, part) == "int8"
    ]
    make = (
        f"quantized = torch.ao.quantization.quantize_dynamic(\n"
        f"    model, {{{', '.join(types)}}}, dtype=torch.qint8\n)"
        if types
        else "quantized = model  # neither switch is on: nothing to quantize"
    )
    return f"""\
import os

import torch
from torch import nn

from wlm import load_checkpoint

model = load_checkpoint({model_folder!r}).model
{make}
print(quantized)

for each in model, quantized:
    torch.save(each.state_dict(), "temp.p")
    print(f"{{os.path.getsize('temp.p') / 1e6:.1f}} MB")
    os.remove("temp.p")
"""
