"""The parts of a variant's file, and its matrices in words."""

import math

from wlm.model.lstm import ModelConfig, part_of
from wlm.model.parts import PARTS, part_of_key
from wlm.quantization.prepare import PreparedModel
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
    """Return the bytes of numbers of a PyTorch variant's embedding, LSTM and Linear, without
    making it: within 2% of what `saved_parts` finds."""
    found = dict.fromkeys(PARTS, 0)
    for key, shape in config.shapes().items():
        module = part_of_key(key).name
        precision = getattr(variant, module)
        rounded = precision.startswith("int8") and "weight" in key
        bytes_each = 1.0 if rounded else 2.0 if precision == "bf16" else 4.0
        if precision == "int4" and "weight" in key:
            bytes_each = 0.625  # with a scale per 32 weights
        found[module] += round(math.prod(shape) * bytes_each)
        if rounded and module == "embedding":
            found[module] += 8 * shape[0]  # a scale and an offset per row
    return found
