"""A model made ready to run as a variant, whichever runtime runs it.

What `prepare` returns is called like LSTMModel and has `init_hidden` and `nll`; besides,
`saved_bytes` is the size of the file that one would ship, `threads` the number it was prepared for.
"""

import math
from typing import Protocol

from torch import Tensor

from wlm.errors import VariantError
from wlm.model.lstm import DECODER, EMBEDDING, Hidden, LSTMModel, ModelConfig, part_of
from wlm.quantization.modules import Modules
from wlm.quantization.pytorch import PyTorchModel, missing_engine, quantize
from wlm.quantization.variant import Variant

_BYTES = {"fp32": 4, "fp16": 2, "int8": 1, "int8-channel": 1}  # of a number


class PreparedModel(Protocol):
    """A variant of a model, in evaluation mode."""

    config: ModelConfig
    threads: int
    saved_bytes: int

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        """Map word ids (T, B) and a hidden state to logits (T, B, V) and the next state."""

    def nll(self, input: Tensor, hidden: Hidden, targets: Tensor) -> tuple[float, Hidden]:
        """Return the summed negative log-likelihood of targets (T * B), in nats, and the next
        hidden state."""

    def init_hidden(self, batch_size: int) -> Hidden:
        """Return the zero state that a text starts from."""

    def eval(self) -> "PreparedModel":
        """Return the model, in evaluation mode."""

    def modules(self) -> Modules:
        """Return its modules, to be called one after the other."""

    def part_bytes(self) -> dict[str, int]:
        """Return the bytes of numbers that each part stores in the file, scales and zero points
        included: see `ModelConfig.parts`."""

    def matrices(self) -> dict[str, Tensor]:
        """Return the weight matrices, by their names in the fp32 state_dict, in the order of a
        pass.

        Where a module is quantized to int8, its matrices are quantized tensors that know their
        scales; else they are fp32, rounded where they are stored in fp16.
        """


def prepare(model: LSTMModel, variant: Variant, threads: int = 1) -> PreparedModel:
    """Return a variant of an fp32 model, ready to run; the model itself is never changed.

    ONNX Runtime runs on `threads` threads; PyTorch's number is the process's, see
    `wlm.measuring.evaluate.thread_count`. Raises VariantError where this machine cannot run the
    variant, WLMError where making it fails.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import onnx_file
        from wlm.quantization.onnx.model import OnnxModel

        return OnnxModel(onnx_file(model, variant), model.config, threads)
    return PyTorchModel(quantize(model, variant), threads)


def held_bytes(config: ModelConfig, variant: Variant) -> int:
    """Return about how many bytes of memory a variant takes beside the fp32 model.

    What is quantized is held twice, packed for the engine and as it was; so is all of an ONNX
    file, by its session and for those to come.
    """
    onnx, held = variant.runtime == "onnxruntime", 0
    for key, shape in config.shapes().items():
        module = {EMBEDDING: "embedding", DECODER: "linear"}.get(part_of(key), "lstm")
        precision = getattr(variant, module)
        if onnx or precision != "fp32":
            held += 2 * _BYTES[precision] * math.prod(shape)
    return held


def why_unavailable(variant: Variant) -> str:
    """Return why this machine cannot run a variant, or nothing where it can."""
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import missing_packages

        return missing_packages()
    return missing_engine(variant)
