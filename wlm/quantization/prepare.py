"""A model made ready to run as a variant, in either runtime.

The result of `prepare` is called like LSTMModel and has `init_hidden` and `nll`; `saved_bytes` is
the size of the file to ship, and `threads` the number of threads that it was prepared for.
"""

import math
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from wlm.errors import VariantError
from wlm.model.int4 import BLOCK, Int4Matrix
from wlm.model.lstm import Hidden, LSTMModel, ModelConfig
from wlm.model.parts import part_of_key
from wlm.quantization.bf16 import computes_bf16
from wlm.quantization.engines import default_engine, missing_engine
from wlm.quantization.pytorch import PyTorchModel, quantize
from wlm.quantization.variant import Variant

# Bytes per number; an int4 number includes its share of a scale.
WEIGHT_BYTES = {
    "fp32": 4,
    "bf16": 2,
    "fp16": 2,
    "int8": 1,
    "int8-channel": 1,
    "int4": 0.5 + 4 / BLOCK,
}


class Modules(Protocol):
    """A model cut into its modules, called one after the other, so that the clock can be read in
    between. Their outputs have the runtime's own type."""

    def embedding(self, input: Tensor):
        """Look up word ids (T, B)."""

    def lstm(self, embedded, hidden: Hidden) -> tuple:
        """Return the last layer's output and the next hidden state."""

    def decoder(self, output):
        """Return the logits."""

    def loss(self, logits, targets: Tensor) -> float:
        """Return the mean negative log-likelihood of targets (T * B), in nats."""


class PreparedModel(Protocol):
    """A variant of a model, in evaluation mode."""

    config: ModelConfig
    threads: int
    saved_bytes: int

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        """Map word ids (T, B) and a hidden state to logits (T, B, V) and the next state."""

    def nll(self, input: Tensor, hidden: Hidden, targets: Tensor) -> tuple[Tensor, Hidden]:
        """Return the negative log-likelihood of the targets (T * B), in nats, and the next hidden
        state."""

    def init_hidden(self, batch_size: int) -> Hidden:
        """Return the zero state that a text starts from."""

    def eval(self) -> "PreparedModel":
        """Return the model, in evaluation mode."""

    def modules(self) -> Modules:
        """Return the model's modules, to be called one after the other."""

    def part_bytes(self) -> dict[str, int]:
        """Return the bytes of numbers that every part stores in the file, scales and zero points
        included: see `ModelConfig.parts`."""

    def biases(self) -> dict[str, Tensor]:
        """Return the biases, by their names in the fp32 state_dict."""

    def matrices(self) -> dict[str, Tensor | Int4Matrix]:
        """Return the weight matrices, by their names in the fp32 state_dict, in the order of a
        pass.

        Where a module is quantized to int8, its matrices are quantized tensors that know their
        scales; in int4 each is an Int4Matrix; else they are fp32, rounded if in 16 bits.
        """


def prepare(model: LSTMModel, variant: Variant, threads: int = 1) -> PreparedModel:
    """Return a variant of a model, ready to run; the model itself is never changed. A model
    that was imported quantized runs with the imported integers.

    ONNX Runtime runs on `threads` threads; PyTorch's number is the process's, see
    `wlm.measuring.evaluate.thread_count`. Raises VariantError if this machine cannot run the
    variant, WLMError if the preparation fails.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    matrices = imported_matrices(model, variant)
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import onnx_file
        from wlm.quantization.onnx.model import OnnxModel

        content = onnx_file(model, variant)
        return OnnxModel(content, model.config, threads)
    return PyTorchModel(quantize(model, variant, matrices), threads, variant.engine)


def imported_matrices(model: LSTMModel, variant: Variant) -> dict[str, Tensor | Int4Matrix]:
    """Return the imported matrices of integers of a model, nothing for an fp32 model.

    Raises VariantError if the model was imported as another variant; the engine may differ.
    """
    if model.imported is None:
        return {}
    own = Variant.parse(model.imported.variant)
    if replace(own, engine="") != replace(variant, engine=""):
        raise VariantError(
            f"the model is already quantized, imported as {own.label}: it runs as the variant "
            f"{str(own)!r} alone, and {str(variant)!r} needs the fp32 weights that it was made from"
        )
    return model.imported.matrices


def slow_here(variant: Variant) -> str:
    """Return why a variant may be slower than fp32 on this machine, or nothing."""
    if variant.needs_engine and not variant.engine and default_engine() == "qnnpack":
        return (
            "PyTorch has only the engine qnnpack for int8 on this machine, and qnnpack may be "
            "slower than fp32."
        )
    if "bf16" in variant.parts_by_precision() and not computes_bf16():
        return "This CPU has no bf16 arithmetic, so bf16 is slower than fp32 here."
    return ""


def held_bytes(config: ModelConfig, variant: Variant) -> int:
    """Return an estimate of the bytes of memory that a variant adds to the fp32 model.

    Quantized weights are in memory twice, packed for the engine and unpacked, and an ONNX file, in
    its session and for later sessions. bf16 weights and biases are in memory once.
    """
    onnx, held = variant.runtime == "onnxruntime", 0
    for key, shape in config.shapes().items():
        precision = getattr(variant, part_of_key(key).name)
        if precision == "bf16":
            held += WEIGHT_BYTES[precision] * math.prod(shape)
        elif onnx or precision != "fp32":
            held += 2 * WEIGHT_BYTES[precision] * math.prod(shape)
    return round(held)


def why_unavailable(variant: Variant) -> str:
    """Return why this machine cannot run a variant, or nothing if it can."""
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import missing_packages

        return missing_packages()
    return missing_engine(variant)
