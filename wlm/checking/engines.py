"""Do the engines run that this machine is said to have?"""

from collections.abc import Iterator

import torch

from wlm.catalog.open import open_model
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.checking.finding import Finding
from wlm.errors import WLMError
from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import OFFERED, Variant

TINY = (50, 16, 16, 2)  # words, embedding, hidden size, layers: an engine is asked, not measured


def look() -> Iterator[Finding]:
    """Have every offered variant of a tiny model read a few words."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = LSTMModel(*TINY).requires_grad_(False).eval()
    words = torch.arange(10).reshape(10, 1)
    for variant in map(Variant.parse, OFFERED):
        if reason := why_unavailable(variant):
            # PyTorch's engines are those of the CPU, and no variant of the first screen needs one.
            todo = "pip install -r requirements.txt"
            yield Finding(variant.label, bool(variant.engine), f"not here: {reason}", todo)
            continue
        try:
            prepared = prepare(model, variant)
            logits, _ = prepared(words, prepared.init_hidden(1))
        except (WLMError, RuntimeError) as error:
            found = f"it does not run: {str(error).splitlines()[0][:200]}"
            yield Finding(variant.label, False, found, "pip install --force-reinstall torch")
            continue
        found = "it runs" if logits.isfinite().all() else "it computes no numbers"
        yield Finding(variant.label, found == "it runs", found, "choose another engine")


def warm() -> Iterator[Finding]:
    """Make every offered variant of the bundled model once, so that its ONNX files are kept."""
    model = open_model(DEFAULT_MODEL).model
    for variant in map(Variant.parse, OFFERED):
        if not why_unavailable(variant):
            prepare(model, variant)
            yield Finding(f"{DEFAULT_MODEL}, {variant.label}", True, "it is made")
