"""How far a job is: what every kind of job yields while it runs."""

from dataclasses import dataclass
from typing import Protocol


class Measured(Protocol):
    """What a job has measured so far."""

    def to_json(self) -> dict:
        """Return it as plain JSON, complete as far as it goes."""


@dataclass(frozen=True)
class Progress:
    """Where a job stands: stage in words, share done (0 to 1), seconds left (None where unknown),
    and what has been measured (None before there is anything)."""

    stage: str
    done: float
    seconds_left: float | None = None
    measured: Measured | None = None
