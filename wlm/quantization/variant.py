"""The precisions of a model's parts and the runtime, as one short name."""

from dataclasses import dataclass, fields

from wlm.errors import VariantError, shown
from wlm.model.parts import PARTS

# The allowed precisions by runtime and part; the first is the default.
PRECISIONS = {
    "pytorch": {
        "lstm": ("fp32", "bf16", "fp16", "int8", "int8-channel"),
        "linear": ("fp32", "bf16", "fp16", "int8", "int8-channel"),
        "embedding": ("fp32", "bf16", "int8"),
    },
    "onnxruntime": {
        "lstm": ("fp32", "int8", "int8-channel"),
        "linear": ("fp32", "int8", "int8-channel", "int4"),
        "embedding": ("fp32", "int8", "int4"),
    },
}
# PyTorch's libraries of int8 arithmetic; "" is the one that PyTorch chooses on this machine.
ENGINES = ("", "x86", "fbgemm", "onednn", "qnnpack")
FP16_ENGINES = ("", "x86", "fbgemm")  # the others have no fp16 in PyTorch 2.13
SHORT_FORMS = {"fp32": "pytorch:", "int8": "pytorch:lstm=int8,linear=int8"}

# The variants that pages offer, the main ones first.
OFFERED = (
    "fp32",
    "int8",
    "pytorch:lstm=int8",
    "pytorch:linear=int8",
    "pytorch:lstm=int8,linear=int8,embedding=int8",
    "pytorch:lstm=bf16,linear=bf16,embedding=bf16",
    "pytorch:lstm=fp16,linear=fp16",
    "pytorch:lstm=int8-channel,linear=int8-channel",
    "pytorch:lstm=int8,linear=int8,engine=onednn",
    "pytorch:lstm=int8,linear=int8,engine=qnnpack",
    "onnxruntime:",
    "onnxruntime:lstm=int8,linear=int8,embedding=int8",
    "onnxruntime:lstm=int8-channel,linear=int8-channel,embedding=int8",
    "onnxruntime:lstm=int8,linear=int4,embedding=int4",
)


@dataclass(frozen=True)
class Variant:
    """The precision of every part of a model, the runtime that runs it and, for PyTorch's int8, the
    engine.

    `str(variant)` is its name, which `Variant.parse` reads: `fp32`, `int8`, or such as
    `pytorch:lstm=int8`. Raises VariantError for anything not in PRECISIONS and ENGINES.
    """

    lstm: str = "fp32"
    linear: str = "fp32"
    embedding: str = "fp32"
    engine: str = ""
    runtime: str = "pytorch"

    def __post_init__(self):
        if self.runtime not in PRECISIONS:
            raise VariantError(
                f"the runtime must be one of {', '.join(PRECISIONS)}, got {self.runtime!r}"
            )
        for part, allowed in PRECISIONS[self.runtime].items():
            if (precision := getattr(self, part)) not in allowed:
                raise VariantError(
                    f"{part} must be one of {', '.join(allowed)} on {self.runtime}, "
                    f"got {precision!r}"
                )
        if self.engine not in ENGINES:
            raise VariantError(
                f"engine must be one of {', '.join(ENGINES[1:])}, got {self.engine!r}"
            )
        precisions = self.lstm, self.linear
        if self.engine and not any(precision.startswith("int8") for precision in precisions):
            raise VariantError(
                f"an engine is named for an int8 LSTM or Linear only, got engine={self.engine} "
                "without one"
            )
        if self.engine and self.runtime != "pytorch":
            raise VariantError(f"an engine is named on pytorch only, got one on {self.runtime}")
        if "fp16" in precisions and self.engine not in FP16_ENGINES:
            raise VariantError(
                f"fp16 needs one of the engines {', '.join(FP16_ENGINES[1:])}, "
                f"got engine={self.engine}"
            )

    @classmethod
    def parse(cls, name: str) -> "Variant":
        """Read a variant's name; parts that are left out are fp32. Raises VariantError."""
        runtime, colon, parts = SHORT_FORMS.get(name.strip(), name.strip()).partition(":")
        if not colon:
            raise VariantError(
                f"a variant is written {', '.join(SHORT_FORMS)} or RUNTIME:PART=PRECISION,… "
                f"such as pytorch:lstm=int8,linear=int8, got {shown(name)!r}"
            )
        known = [*PARTS, "engine"]
        chosen: dict[str, str] = {}
        for item in filter(None, parts.split(",")):
            part, _, value = (side.strip() for side in item.partition("="))
            if part not in known or part in chosen:
                raise VariantError(
                    f"each part of a variant must be one of {', '.join(known)}, named once, "
                    f"got {shown(part, 40)!r} in {shown(name, 60)!r}"
                )
            if part == "engine" and not value:
                raise VariantError(f"engine must be one of {', '.join(ENGINES[1:])}, got ''")
            chosen[part] = value
        return cls(runtime=runtime, **chosen)

    def __str__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "runtime"}
        parts = [f"{name}={value}" for name, value in values.items() if value not in ("fp32", "")]
        name = f"{self.runtime}:" + ",".join(parts)
        return next((short for short, long in SHORT_FORMS.items() if long == name), name)

    @property
    def needs_engine(self) -> bool:
        """Whether PyTorch runs the variant's LSTM or Linear with a quantized engine."""
        precisions = {self.lstm, self.linear}
        return self.runtime == "pytorch" and not precisions <= {"fp32", "bf16"}

    def parts_by_precision(self) -> dict[str, list[str]]:
        """Return the parts that are not fp32, by their precision."""
        parts: dict[str, list[str]] = {}
        for part in PARTS:
            if (precision := getattr(self, part)) != "fp32":
                parts.setdefault(precision, []).append(part)
        return parts

    @property
    def label(self) -> str:
        """The variant in words for tables and charts, such as `int8 LSTM + Linear`."""
        if self.lstm == self.linear and self.embedding == self.lstm.removesuffix("-channel"):
            words = [f"{self.lstm} all"] if self.lstm != "fp32" else []
        else:
            words = [
                f"{precision} {' + '.join(PARTS[part].label for part in parts)}"
                for precision, parts in self.parts_by_precision().items()
            ]
            if self.lstm != "fp32" and self.linear == self.embedding == "int4":
                words[-1] = "int4 rest"
        engine = f", {self.engine}" if self.engine else ""
        runtime = "ORT " if self.runtime == "onnxruntime" else ""
        return runtime + (", ".join(words) or "fp32") + engine


def describe(variant: Variant) -> str:
    """Return one plain sentence on what a variant is and when it loses."""
    parts = variant.lstm, variant.linear, variant.embedding
    precisions = {precision.removesuffix("-channel") for precision in parts}
    if variant.runtime == "onnxruntime":
        what = (
            "Another engine for the same arithmetic in 32-bit floats: faster than PyTorch's at one "
            "text at a time; it needs two more packages and keeps a copy of the weights on disk."
            if precisions == {"fp32"}
            else "Weights as 4-bit integers, 32 to a scale: the smallest file; it loses some "
            "quality, where int8 loses hardly any, and time on chunks, as weights are unpacked."
            if "int4" in precisions
            else "ONNX Runtime's own dynamic quantization: the fastest here; it loses where only "
            "PyTorch can be installed, and its gain shrinks as the chunks grow."
        )
    elif variant.engine:
        what = (
            f"PyTorch's int8 by the library {variant.engine}: the weights are the same, the "
            "arithmetic is not; away from the machines it was written for it can be slower than "
            "fp32."
        )
    elif precisions == {"fp32"}:
        what = "The model as trained, in 32-bit floats: the largest file, and what others are "
        what += "measured against."
    elif "bf16" in precisions:
        what = (
            "Weights and activations as 16-bit floats with the range of 32-bit ones: half the file "
            "and hardly any loss; it is slower than fp32 on CPUs without bf16 arithmetic."
        )
    elif "fp16" in precisions:
        what = (
            "Weights rounded to 16-bit floats, sums in 32 bits: nearly no loss and a gain in time, "
            "but PyTorch saves them as 32-bit floats, so the file stays as large."
        )
    elif variant.embedding == "int8":
        what = (
            "The embedding at int8, each row with its own scale: the largest part of the file "
            "shrinks to a quarter; rows are only looked up, so it gains no time."
        )
    elif "int8-channel" in parts:
        what = (
            "A scale for each output instead of one for the whole matrix: a smaller rounding error "
            "for a few more bytes; it loses where the loss was already the same."
        )
    else:
        what = (
            "Weights as 8-bit integers, activations rounded on the fly: the tutorial's way; it "
            "loses on small models and large batches, where converting costs more than it saves."
        )
    return what
