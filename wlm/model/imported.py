"""What a model came as that came quantized."""

import re
from dataclasses import dataclass

from torch import Tensor

from wlm.errors import CheckpointError
from wlm.model.blocks import Blocks
from wlm.model.quantized import precision_of

VARIANT = "variant"  # what files call the variant that they are of, in the long form of its name
PARTS = {"rnn": "lstm", "decoder": "linear", "encoder": "embedding"}  # by the keys' first name
_DECLARED = re.compile(r"(pytorch|onnxruntime):([a-z0-9=,-]{0,100})")


@dataclass(frozen=True)
class Imported:
    """A variant's name, and the matrices of integers that it came with, by their names in the fp32
    state_dict; those of the model itself are what the integers stand for."""

    variant: str
    matrices: dict[str, Tensor | Blocks]


def imported_as(
    matrices: dict[str, Tensor | Blocks], declared: str, keys: list[str]
) -> Imported | None:
    """Return what a model with these keys came as; None for one that came in fp32.

    Which parts are int8 or int4 is told by its quantized matrices; the runtime, fp16, whose
    numbers are stored as floats, and the engine are as declared. Raises CheckpointError where a
    part is of several kinds, or the LSTM of one that nothing runs.
    """
    known = _DECLARED.fullmatch(declared)
    runtime, said = known.groups() if known else ("pytorch", "")
    settings = dict(each.partition("=")[::2] for each in said.split(",") if each)
    parts = {}
    for first, part in PARTS.items():
        kinds = {
            precision_of(matrices.get(key)) for key in keys if key.startswith(f"{first}.weight")
        }
        if len(kinds) > 1:
            raise CheckpointError(f"the {part}'s matrices must be of one kind, got {sorted(kinds)}")
        if kinds == {"fp32"} and settings.get(part) == "fp16":
            kinds = {"fp16"}
        parts[part] = kinds.pop()
    if parts["lstm"] == "int4":
        raise CheckpointError("the lstm's matrices must not have 4 bits: nothing here runs those")
    if "int4" in parts.values():
        runtime = "onnxruntime"
    if set(parts.values()) == {"fp32"}:
        return None
    if any(each.startswith("int8") for each in (parts["lstm"], parts["linear"])):
        parts["engine"] = settings.get("engine", "fp32")
    named = [f"{part}={value}" for part, value in parts.items() if value != "fp32"]
    return Imported(f"{runtime}:{','.join(named)}", matrices)
