"""The loss at fewer bits, measured beforehand: a text takes too long for a page."""

import json
from dataclasses import dataclass
from functools import cache

from wlm.paths import ASSETS

FILE = ASSETS / "bits.json"


@dataclass(frozen=True)
class LossAt:
    """The loss at a number of bits, in nats per token, with one scale per row or per matrix; the
    difference from fp32's loss, and the ends of its 95% interval."""

    bits: int
    by_row: bool
    loss: float
    delta: float
    low: float
    high: float


@dataclass(frozen=True)
class LossCurve:
    """A model's losses on a text, the weights' sha256, and the CPU that measured the losses."""

    weights_sha256: str
    text: str
    tokens: int
    cpu: str
    fp32: float
    points: tuple[LossAt, ...]

    def at(self, bits: int, by_row: bool) -> LossAt:
        """Return the loss at a number of bits."""
        return next(loss for loss in self.points if (loss.bits, loss.by_row) == (bits, by_row))


@cache
def recorded_curve() -> LossCurve:
    """Return the curve of the bundled weights, which benchmarks.bits has recorded."""
    content = json.loads(FILE.read_text("utf-8"))
    points = tuple(LossAt(**point) for point in content.pop("points"))
    return LossCurve(**content, points=points)


def curve_of(weights_sha256: str | None) -> LossCurve | None:
    """Return the recorded curve if it belongs to these weights, else None."""
    curve = recorded_curve()
    return curve if curve.weights_sha256 == weights_sha256 else None
