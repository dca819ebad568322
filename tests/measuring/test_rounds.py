"""Streams that take turns."""

import pytest

from wlm.measuring.rounds import rounds


def test_each_round_takes_one_of_every_stream_in_an_order_that_the_seed_fixes():
    def orders(seed: int) -> list[list[str]]:
        streams = {name: iter(range(50)) for name in "abc"}
        taken = list(rounds(streams, seed))
        assert [set(step.values()) for step in taken] == [{i} for i in range(50)]
        return [list(step) for step in taken]

    first = orders(1)
    assert {"".join(order) for order in first} == {"abc", "acb", "bac", "bca", "cab", "cba"}
    assert orders(1) == first != orders(2)


def test_a_round_that_a_stream_cannot_fill_is_not_given():
    assert list(rounds({"long": iter([1, 2, 3]), "short": iter([1, 2])}, 1)) == [
        {"long": 1, "short": 1},
        {"long": 2, "short": 2},
    ]


def test_what_interrupts_a_round_reaches_the_caller():
    def interrupted():
        yield 1
        raise KeyboardInterrupt

    taken = rounds({"one": interrupted()}, 1)
    assert next(taken) == {"one": 1}
    with pytest.raises(KeyboardInterrupt):
        next(taken)
