"""Check that the engines of this machine run."""

from collections.abc import Iterator

import torch

from wlm.catalog.open import open_model
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.checking.finding import Finding
from wlm.errors import WLMError, first_line
from wlm.inspecting.activation_error import activations
from wlm.model.lstm import LSTMModel
from wlm.quantization.engines import supported_engines
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import OFFERED, Variant

TINY = (50, 16, 16, 2)  # words, embedding, hidden size, layers: an engine is asked, not measured


def look() -> Iterator[Finding]:
    """Have every offered variant of a tiny model read a few words."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = LSTMModel(*TINY).requires_grad_(False).eval()
    words = torch.arange(10)
    for variant in map(Variant.parse, OFFERED):
        if reason := why_unavailable(variant):
            # Each CPU has some of PyTorch's engines, and not all of them have fp16.
            is_rare = bool(variant.engine) or "fp16" in variant.parts_by_precision()
            todo = "pip install -r requirements.txt"
            if variant.needs_engine and not supported_engines():
                todo = "use ONNX Runtime's int8, or a build of PyTorch with a quantized engine"
            yield Finding(variant.label, is_rare, f"not available: {reason}", todo)
            continue
        try:
            outputs = activations(prepare(model, variant), words)  # as Inspect reads them
        except (WLMError, RuntimeError, TypeError, AttributeError) as error:
            found = f"fails: {first_line(error)}"
            yield Finding(variant.label, False, found, "pip install --force-reinstall torch")
            continue
        is_finite = all(output.isfinite().all() for output in outputs.values())
        found = "runs" if is_finite else "computes values that are not finite"
        yield Finding(variant.label, is_finite, found, "choose another engine")


def warm() -> Iterator[Finding]:
    """Make every offered variant of the bundled model once, so that its ONNX files are kept."""
    model = open_model(DEFAULT_MODEL).model
    for variant in map(Variant.parse, OFFERED):
        if not why_unavailable(variant):
            prepare(model, variant)
            yield Finding(f"{DEFAULT_MODEL}, {variant.label}", True, "prepared")
