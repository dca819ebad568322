"""A model made ready to run as a variant, in either runtime."""

import math
from dataclasses import replace

from wlm.errors import VariantError
from wlm.model.int4 import BLOCK
from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.model.parts import part_of_key
from wlm.quantization.bf16 import computes_bf16
from wlm.quantization.engines import default_engine, missing_engine
from wlm.quantization.onnx.export import missing_packages, onnx_file
from wlm.quantization.onnx.model import OnnxModel
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
# In evaluation mode. `saved_bytes` is the size of the file to ship, `threads` the number of threads
# that the model was prepared for.
PreparedModel = PyTorchModel | OnnxModel


def prepare(model: LSTMModel, variant: Variant, threads: int = 1) -> PreparedModel:
    """Return a variant of a model, ready to run; the model itself is never changed. A model
    that was imported quantized runs with the imported integers.

    ONNX Runtime runs on `threads` threads; PyTorch's number is the process's, see
    `wlm.measuring.evaluate.thread_count`. Raises VariantError if this machine cannot run the
    variant or if the model was imported as another one (the engine may differ), WLMError if the
    preparation fails.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    own = Variant.parse(model.imported.variant) if model.imported else variant
    if replace(own, engine="") != replace(variant, engine=""):
        raise VariantError(
            f"the model is already quantized, imported as {own.label}: it runs as the variant "
            f"{str(own)!r} alone, and {str(variant)!r} needs the fp32 weights that it was made from"
        )
    if variant.runtime == "onnxruntime":
        return OnnxModel(onnx_file(model, variant), model.config, threads)
    return PyTorchModel(quantize(model, variant), threads, variant.engine)


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
        return missing_packages()
    return missing_engine(variant)
