"""What is quantized in a model and what runs it, as one short string."""

from dataclasses import dataclass, fields

from wlm.errors import VariantError

# What each part of the model may be, by runtime; the first is the default.
PRECISIONS = {"pytorch": {"lstm": ("fp32", "int8"), "linear": ("fp32", "int8")}}
SHORT_FORMS = {"fp32": "pytorch:", "int8": "pytorch:lstm=int8,linear=int8"}
PART_LABELS = {"lstm": "LSTM", "linear": "Linear"}


@dataclass(frozen=True)
class Variant:
    """The precision of each part of a model, and the runtime that runs it.

    `str(variant)` is its name, which `Variant.parse` reads: `fp32`, `int8`, or such as
    `pytorch:lstm=int8`. Raises VariantError for anything not in PRECISIONS.
    """

    lstm: str = "fp32"
    linear: str = "fp32"
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

    @classmethod
    def parse(cls, name: str) -> "Variant":
        """Read a variant's name; parts that are left out are fp32. Raises VariantError."""
        runtime, colon, parts = SHORT_FORMS.get(name.strip(), name.strip()).partition(":")
        if not colon:
            raise VariantError(
                f"a variant is written {', '.join(SHORT_FORMS)} or RUNTIME:PART=PRECISION,… "
                f"such as pytorch:lstm=int8,linear=int8, got {name!r}"
            )
        chosen: dict[str, str] = {}
        for item in filter(None, parts.split(",")):
            part, _, precision = (side.strip() for side in item.partition("="))
            if part not in PART_LABELS or part in chosen:
                raise VariantError(
                    f"each part of a variant must be one of {', '.join(PART_LABELS)}, named once, "
                    f"got {part!r} in {name!r}"
                )
            chosen[part] = precision
        return cls(runtime=runtime, **chosen)

    def __str__(self) -> str:
        parts = (f"{f.name}={getattr(self, f.name)}" for f in fields(self) if f.name != "runtime")
        name = f"{self.runtime}:" + ",".join(part for part in parts if not part.endswith("=fp32"))
        return next((short for short, long in SHORT_FORMS.items() if long == name), name)

    @property
    def label(self) -> str:
        """The variant in words for tables and charts, such as `int8 LSTM + Linear`."""
        by_precision: dict[str, list[str]] = {}
        for part, label in PART_LABELS.items():
            if (precision := getattr(self, part)) != "fp32":
                by_precision.setdefault(precision, []).append(label)
        words = [f"{precision} {' + '.join(parts)}" for precision, parts in by_precision.items()]
        return ", ".join(words) or "fp32"
