"""The parts of a variant's file, and its matrices in words."""

import math

from wlm.model.lstm import ModelConfig, part_of
from wlm.model.parts import PARTS, part_of_key
from wlm.quantization.prepare import WEIGHT_BYTES, PreparedModel
from wlm.quantization.variant import Variant

FILE_FORMAT = "file format"


def saved_parts(model: PreparedModel) -> dict[str, int]:
    """Return the bytes of a variant's file by part, and the rest as the file's format.

    A part's bytes are its numbers, scales and zero points included. Names, headers and padding are
    the format. They sum to `saved_bytes`. Raises WLMError if the size cannot be measured.
    """
    parts = model.part_bytes()
    return {**parts, FILE_FORMAT: model.saved_bytes - sum(parts.values())}


def matrix_label(name: str) -> str:
    """Return a weight matrix's name in words, such as `LSTM 0 recurrent`."""
    roles = {"_ih_": " input", "_hh_": " recurrent"}
    return part_of(name) + next((word for sign, word in roles.items() if sign in name), "")


def module_bytes(config: ModelConfig, variant: Variant) -> dict[str, int]:
    """Return the bytes of numbers of a variant's embedding, LSTM and Linear, without making it:
    within 2% of what `saved_parts` finds."""
    found = dict.fromkeys(PARTS, 0)
    for key, shape in config.shapes().items():
        module = part_of_key(key).name
        precision = getattr(variant, module)
        is_rounded = precision.startswith("int") and "weight" in key
        # Biases of integer matrices stay in fp32, and PyTorch saves fp16 weights as fp32.
        saved_as = precision if is_rounded or precision == "bf16" else "fp32"
        found[module] += round(math.prod(shape) * WEIGHT_BYTES[saved_as])
        if module == "embedding" and precision == "int8":
            found[module] += 8 * shape[0]  # a scale and an offset per row
    return found
