"""Work that takes turns, so that disturbances of the machine affect all alike.

A round is one piece of work from each stream. A group is a few rounds before which everything is
prepared again, in new memory: how fast a program runs also depends on the addresses of its data,
which more rounds of the same group cannot average out.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch

Key = TypeVar("Key")
Thing = TypeVar("Thing")
Taken = TypeVar("Taken")

OTHER_ALLOCATIONS = 4  # before each preparation
SMALLEST, LARGEST = 16, 22  # of them in bytes, as powers of two


def rounds(streams: Mapping[Key, Iterator[Taken]], seed: int) -> Iterator[dict[Key, Taken]]:
    """Yield rounds: the next item of every stream, in an order that is random in each round.

    A round is always complete: if a stream ends, the incomplete round is not yielded.
    """
    order, generator = list(streams), random.Random(seed)
    while True:
        generator.shuffle(order)
        try:
            taken = {key: next(streams[key]) for key in order}
        except StopIteration:
            return
        yield taken


@dataclass(frozen=True)
class Step(Generic[Key, Taken]):
    """A step of work in groups: the thing of that key will be prepared next (`preparing`) or warmed
    up next, or a round was `taken`. `group` counts from 0; `is_last` tells whether the round ends
    its group."""

    group: int
    preparing: Key | None = None
    taken: dict[Key, Taken] = field(default_factory=dict)
    is_last: bool = False


def rounds_in_groups(
    keys: Sequence[Key],
    prepare: Callable[[Key], Thing],
    warm_up: Callable[[Key, Thing], None],
    take: Callable[[Key, Thing], Taken],
    group_length: Callable[[], int],
    seed: int,
) -> Iterator[Step[Key, Taken]]:
    """Yield the steps of groups of rounds, without end.

    Before each group, `prepare` makes everything again while other memory is allocated, then all
    things warm up; the things of the previous group are deleted by then. `group_length` returns the
    number of rounds of the next group after warming up. The order is random in each round and
    preparation.

    Source: Kalibera and Jones 2013, "Rigorous Benchmarking in Reasonable Time".
    """
    order, generator, group = list(keys), random.Random(seed), 0
    while True:
        things, others = {}, []
        generator.shuffle(order)
        for key in order:
            yield Step(group, preparing=key)
            others += _other_allocations(generator)
            things[key] = prepare(key)
        yield Step(group)
        for key in order:
            warm_up(key, things[key])
        count = group_length()
        for i in range(count):
            generator.shuffle(order)
            # A round is kept whole or, if it is interrupted, not at all.
            yield Step(group, None, {key: take(key, things[key]) for key in order}, i == count - 1)
        group += 1


def _other_allocations(generator: random.Random) -> list[torch.Tensor]:
    """Allocate memory of random sizes and write to it, so that later data get other addresses."""
    return [
        torch.zeros(round(2 ** generator.uniform(SMALLEST, LARGEST)), dtype=torch.uint8)
        for _ in range(OTHER_ALLOCATIONS)
    ]
