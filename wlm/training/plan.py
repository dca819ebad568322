"""The number of steps of a training, their cost, and the progress."""

import math
from dataclasses import dataclass, field

from wlm.model.lstm import ModelConfig
from wlm.training.recipe import Recipe


@dataclass
class Taken:
    """What a training has done: optimizer steps and seconds, by phase."""

    steps: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0})
    seconds: dict[int, float] = field(default_factory=lambda: {1: 0.0, 2: 0.0})

    @property
    def all_steps(self) -> int:
        """Steps of both phases."""
        return sum(self.steps.values())


class Plan:
    """The steps of a recipe for a model's sizes and a training text's number of tokens.

    A phase that the recipe has is at least one step long.
    """

    def __init__(self, recipe: Recipe, tokens: int, config: ModelConfig):
        self.recipe = recipe
        self.column_tokens = (tokens - recipe.bptt) // recipe.batch_size
        self.steps_per_epoch = math.ceil((self.column_tokens - 1) / recipe.bptt)
        self.steps = {
            phase: max(1, round(epochs * self.steps_per_epoch)) if epochs else 0
            for phase, epochs in ((1, recipe.epochs), (2, recipe.full_epochs))
        }
        lstm = sum(
            math.prod(shape) for name, shape in config.shapes().items() if name.startswith("rnn")
        )
        words = {1: min(recipe.negatives, config.ntoken), 2: config.ntoken}
        # A step costs its multiply-adds, which differ between phases.
        self.cost = {phase: lstm + words[phase] * config.nhid for phase in words}

    def phase(self, taken: Taken) -> int | None:
        """Return the phase that is under way, 1 or 2, or None where both are done."""
        return next((phase for phase in (1, 2) if self.share(phase, taken) < 1), None)

    def share(self, phase: int, taken: Taken) -> float:
        """Return how much of a phase is done, 0 to 1: by steps, or by time if that is more."""
        if not self.steps[phase]:
            return 1.0
        share = taken.steps[phase] / self.steps[phase]
        if (budget := self.recipe.budget(phase)) is not None:
            share = max(share, taken.seconds[phase] / budget)
        return min(1.0, share)

    def seconds_left(self, taken: Taken) -> float:
        """Return about how many seconds are left, after one step or more."""
        spent = sum(taken.steps[phase] * self.cost[phase] for phase in (1, 2))
        pace = sum(taken.seconds.values()) / spent  # seconds per multiply-add
        left = 0.0
        for phase in (1, 2):
            if self.share(phase, taken) == 1:
                continue
            seconds = (self.steps[phase] - taken.steps[phase]) * self.cost[phase] * pace
            if (budget := self.recipe.budget(phase)) is not None:
                seconds = min(seconds, budget - taken.seconds[phase])
            left += seconds
        return left
