"""The common settings of every job over several variants of a model, and plain JSON."""

from dataclasses import asdict, dataclass, field, fields
from typing import ClassVar, Self

from wlm.catalog.registry import DEFAULT_MODEL
from wlm.errors import SettingError, check_range, shown
from wlm.quantization.variant import Variant

MAX_VARIANTS = 20  # every variant that pages offer, with all positions of the switches


@dataclass(frozen=True)
class VariantSettings:
    """Which variants of which model. A bare weights file needs `vocabulary` or `corpus`, see
    `load_checkpoint`. Variants are stored by their shortest names, so that equal ones compare
    equal.

    `kind` is the job's, `words` what a message calls it, `preparation_seconds` about what loading
    and warming up take. Every job has `seconds` to measure; None if it reads its text to the end.
    Raises SettingError and VariantError.
    """

    kind: ClassVar[str]
    words: ClassVar[str]
    preparation_seconds: ClassVar[float] = 3.0

    variants: tuple[str, ...] = ("fp32", "int8")
    model: str = DEFAULT_MODEL
    vocabulary: str | None = field(default=None, kw_only=True)
    corpus: str | None = field(default=None, kw_only=True)

    def __post_init__(self):
        check_range("the number of variants", len(self.variants), 1, MAX_VARIANTS)
        names = tuple(str(Variant.parse(name)) for name in self.variants)
        object.__setattr__(self, "variants", names)

    @property
    def most_seconds(self) -> float | None:
        """Return about how long the job takes at most; None if it reads its text to the end."""
        return None if self.seconds is None else self.seconds + self.preparation_seconds

    def to_json(self) -> dict:
        """Return the settings as plain JSON."""
        return {**asdict(self), "variants": list(self.variants)}

    @classmethod
    def from_json(cls, content: dict) -> Self:
        """Make settings from the JSON that `to_json` returns. Raises SettingError for unknown
        ones."""
        if unknown := content.keys() - {setting.name for setting in fields(cls)}:
            raise SettingError(f"{cls.words} has no setting {shown(sorted(unknown)[0])!r}")
        return cls(**{**content, "variants": tuple(content["variants"])})
