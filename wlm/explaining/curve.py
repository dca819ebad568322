"""The loss at fewer bits, measured beforehand: a text takes too long for a page."""

import json
from dataclasses import dataclass
from functools import cache

from wlm.paths import ASSETS

FILE = ASSETS / "bits.json"


@dataclass(frozen=True)
class LossAt:
    """The loss at so many bits, in nats per token: with one scale a matrix or one a row; and its
    difference from fp32's, with the ends of its 95% interval."""

    bits: int
    by_row: bool
    loss: float
    delta: float
    low: float
    high: float


@dataclass(frozen=True)
class LossCurve:
    """Losses of a model on a text, by its weights' sha256; measured on which CPU."""

    weights_sha256: str
    text: str
    tokens: int
    cpu: str
    fp32: float
    points: tuple[LossAt, ...]

    def at(self, bits: int, by_row: bool) -> LossAt:
        """Return the loss at so many bits."""
        return next(each for each in self.points if (each.bits, each.by_row) == (bits, by_row))


@cache
def recorded_curve() -> LossCurve:
    """Return the curve that benchmarks.bits has recorded, of the bundled weights."""
    content = json.loads(FILE.read_text("utf-8"))
    points = tuple(LossAt(**each) for each in content.pop("points"))
    return LossCurve(**content, points=points)


def curve_of(weights_sha256: str | None) -> LossCurve | None:
    """Return the recorded curve of some weights, None where it is of others."""
    curve = recorded_curve()
    return curve if curve.weights_sha256 == weights_sha256 else None
