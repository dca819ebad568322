"""How a model is trained: sizes, schedules and dropout, with what worked as the default."""

import math
from dataclasses import asdict, dataclass, field, fields

from wlm.errors import TrainError, WLMError, check_range
from wlm.model.lstm import ModelConfig
from wlm.text.corpus import check_order


def _setting(default: float | None, low: float, high: float):
    """Return a setting and its allowed range; if the default is None, None is allowed, too."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; the defaults made the bundled model.

    Phase 1 trains with a sampled softmax over `negatives` words, phase 2 with all words. Epochs
    are passes over the training text; rates are AdamW's; dropout acts on embeddings and the last
    layer's output, `layer_dropout` between layers; `additions` is the share of phase 1 in which
    the lower layers' outputs are still added to the top one's. `minutes` limits the training
    itself: schedules then fit into that time, 3 parts phase 1 to 2 parts phase 2.
    The card's losses are of the first `card_tokens` of valid and test, of all if it is None.

    Raises SettingError if a value is out of range, TextError for an unknown order.
    """

    order: str = "frequency"
    ninp: int = 512  # ModelConfig has the ranges of the sizes
    nhid: int = 256
    nlayers: int = 5
    batch_size: int = _setting(40, 1, 256)
    bptt: int = _setting(35, 1, 1_000)
    epochs: float = _setting(11.0, 0.0, 1_000.0)
    full_epochs: float = _setting(2.7, 0.0, 1_000.0)
    negatives: int = _setting(4_096, 1, 1_000_000)
    learning_rate: float = _setting(1.5e-3, 0.0, 1.0)
    full_learning_rate: float = _setting(5e-4, 0.0, 1.0)
    warm_up: float = _setting(0.025, 0.0, 1.0)
    weight_decay: float = _setting(0.02, 0.0, 1.0)
    clip: float = _setting(1.0, 1e-6, 1e6)
    dropout: float = _setting(0.35, 0.0, 0.9)
    layer_dropout: float = _setting(0.2, 0.0, 0.9)
    additions: float = _setting(0.3, 0.0, 1.0)
    minutes: float | None = _setting(None, 0.01, 100_000.0)
    card_tokens: int | None = _setting(None, 2, 10**10)
    seed: int = _setting(1111, 0, 2**31)
    threads: int = _setting(2, 1, 256)

    def __post_init__(self):
        check_order(self.order)
        ModelConfig(2, self.ninp, self.nhid, self.nlayers)
        for setting in fields(self):
            value, known = getattr(self, setting.name), setting.metadata
            if known and (value is not None or setting.default is not None):
                check_range(setting.name, value, *known["range"])
        if self.epochs + self.full_epochs == 0:
            raise TrainError("epochs and full_epochs must not both be 0")

    def rate(self, phase: int, share: float) -> float:
        """Return the learning rate when `share` (0 to 1) of phase 1 or 2 is done.

        Phase 1 warms up linearly and falls linearly to 30%; phase 2 falls to 0 by a half cosine.
        """
        if phase == 2:
            return self.full_learning_rate * (1 + math.cos(math.pi * share)) / 2
        if share < self.warm_up:
            return self.learning_rate * share / self.warm_up
        return self.learning_rate * (1 - 0.7 * (share - self.warm_up) / (1 - self.warm_up or 1))

    def addition(self, phase: int, share: float) -> float:
        """Return the weight of the lower layers' outputs when `share` of a phase is done.

        Five stacked layers do not start to learn by themselves; it falls linearly from 1 to 0.
        """
        if phase == 2 or share >= self.additions:
            return 0.0
        return 1 - share / self.additions

    def budget(self, phase: int) -> float | None:
        """Return the seconds of a phase, or None if time does not limit it."""
        if self.minutes is None:
            return None
        if not (self.epochs and self.full_epochs):
            return 60 * self.minutes
        return 60 * self.minutes * (0.6 if phase == 1 else 0.4)

    def to_json(self) -> dict:
        """Return the settings as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: object) -> "Recipe":
        """Read what `to_json` wrote. Raises TrainError."""
        names = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or content.keys() != names:
            raise TrainError("the settings of a training must have exactly the recipe's names")
        try:
            return cls(**content)
        except (TypeError, WLMError) as error:
            raise TrainError(f"the settings of a training are damaged: {error}") from None


PRESETS = {
    "recipe": Recipe(),
    "tiny": Recipe(
        ninp=64,
        nhid=64,
        nlayers=2,
        batch_size=16,
        bptt=20,
        epochs=8.0,
        full_epochs=0.0,
        negatives=1_024,
        learning_rate=5e-3,
        dropout=0.1,
        layer_dropout=0.0,
        minutes=0.2,
        card_tokens=20_000,
    ),
}
