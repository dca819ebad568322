"""The variant of a file whose weights are already quantized."""

import re

from torch import Tensor

from wlm.errors import CheckpointError
from wlm.model.lstm import Imported
from wlm.model.parts import PARTS
from wlm.model.quantized import precision_of

VARIANT = "variant"  # the name under which files state their variant, in its long form
_DECLARED = re.compile(r"pytorch:([a-z0-9=,-]{0,100})")


def imported_variant(
    matrices: dict[str, Tensor], declared: str, keys: list[str]
) -> Imported | None:
    """Return the variant of a model with these keys, or None if it is in fp32 or bf16.

    The quantized matrices tell which parts are int8. The file declares the rest: the parts in bf16
    and fp16, which are read as floats, and the engine. Raises CheckpointError if a part's matrices
    are of several kinds.
    """
    if matrices and declared.startswith("onnxruntime:"):
        raise CheckpointError(
            "the weights are ONNX Runtime's integers, which wlm no longer imports: give the "
            "weights that they were made from"
        )
    known = _DECLARED.fullmatch(declared)
    settings = dict(item.partition("=")[::2] for item in (known[1] if known else "").split(","))
    parts = {}
    for part in PARTS.values():
        kinds = {
            precision_of(matrices.get(key))
            for key in keys
            if key.startswith(f"{part.module}.weight")
        }
        if len(kinds) > 1:
            raise CheckpointError(
                f"the {part.name}'s matrices must be of one kind, got {sorted(kinds)}"
            )
        if kinds == {"fp32"} and settings.get(part.name) in ("bf16", "fp16"):
            kinds = {settings[part.name]}
        parts[part.name] = kinds.pop()
    if set(parts.values()) <= {"fp32", "bf16"}:
        return None  # any variant can be made from floats
    settled = {name: precision for name, precision in parts.items() if precision != "fp32"}
    if "engine" in settings and any(parts[name].startswith("int8") for name in ("lstm", "linear")):
        settled["engine"] = settings["engine"]
    named = ",".join(f"{name}={value}" for name, value in settled.items())
    return Imported(f"pytorch:{named}", matrices)
