"""Several streams of work that take turns, so that what the machine does meanwhile falls on all."""

import random
from collections.abc import Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Taken = TypeVar("Taken")


def rounds(streams: Mapping[Key, Iterator[Taken]], seed: int) -> Iterator[dict[Key, Taken]]:
    """Yield rounds: the next of every stream, in an order that is random in each round.

    A round is whole: it ends, incomplete and not yielded, with the first stream that ends.
    """
    order, generator = list(streams), random.Random(seed)
    while True:
        generator.shuffle(order)
        try:
            taken = {key: next(streams[key]) for key in order}
        except StopIteration:
            return
        yield taken
