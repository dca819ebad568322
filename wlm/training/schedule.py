"""The steps of a training: how many there are, how many are done, and how long the rest takes."""

import math

from wlm.model.lstm import ModelConfig
from wlm.training.recipe import Recipe


class Schedule:
    """The steps of a recipe's two phases, for a model's sizes and a training text's number of
    tokens.

    `steps` are planned and `taken` are done, in `seconds`; all three by phase. A phase that the
    recipe has is at least one step long.
    """

    def __init__(self, recipe: Recipe, tokens: int, config: ModelConfig):
        self.recipe = recipe
        self.column_tokens = (tokens - recipe.bptt) // recipe.batch_size
        self.steps_per_epoch = math.ceil((self.column_tokens - 1) / recipe.bptt)
        self.steps = {
            phase: max(1, round(epochs * self.steps_per_epoch)) if epochs else 0
            for phase, epochs in ((1, recipe.epochs), (2, recipe.full_epochs))
        }
        self.taken, self.seconds = {1: 0, 2: 0}, {1: 0.0, 2: 0.0}
        lstm = sum(
            math.prod(shape) for name, shape in config.shapes().items() if name.startswith("rnn")
        )
        words = {1: min(recipe.negatives, config.ntoken), 2: config.ntoken}
        # A step costs its multiply-adds, which differ between phases.
        self.cost = {phase: lstm + words[phase] * config.nhid for phase in words}

    @property
    def all_taken(self) -> int:
        """The steps of both phases that are done."""
        return sum(self.taken.values())

    @property
    def phase(self) -> int | None:
        """The phase that is under way, 1 or 2, or None if both are done."""
        return next((phase for phase in (1, 2) if self.share(phase) < 1), None)

    def share(self, phase: int) -> float:
        """Return how much of a phase is done, 0 to 1: by steps, or by time if that is more."""
        if not self.steps[phase]:
            return 1.0
        share = self.taken[phase] / self.steps[phase]
        if (budget := self.recipe.budget(phase)) is not None:
            share = max(share, self.seconds[phase] / budget)
        return min(1.0, share)

    def seconds_left(self) -> float:
        """Return about how many seconds are left, after one step or more."""
        spent = sum(self.taken[phase] * self.cost[phase] for phase in (1, 2))
        pace = sum(self.seconds.values()) / spent  # seconds per multiply-add
        left = 0.0
        for phase in (1, 2):
            if self.share(phase) == 1:
                continue
            seconds = (self.steps[phase] - self.taken[phase]) * self.cost[phase] * pace
            if (budget := self.recipe.budget(phase)) is not None:
                seconds = min(seconds, budget - self.seconds[phase])
            left += seconds
        return left
