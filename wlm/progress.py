"""The progress that every kind of job yields."""

from dataclasses import dataclass
from typing import Protocol


class Measured(Protocol):
    """Results of a job up to now."""

    def to_json(self) -> dict:
        """Return the results as plain JSON, complete up to now."""


@dataclass(frozen=True)
class Progress:
    """The progress of a job: its stage in words, the share done (0 to 1), the seconds left (None if
    unknown), and the results (None before the first)."""

    stage: str
    done: float
    seconds_left: float | None = None
    measured: Measured | None = None
