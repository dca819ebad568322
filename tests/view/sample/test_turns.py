"""At most so many at once, in the order in which they came."""

import pytest

from view.sample.turns import Turns


def test_the_first_ones_go_ahead_and_the_others_wait_in_order():
    turns = Turns(2)
    with turns.join() as a:
        with turns.join() as b, turns.join() as c, turns.join() as d:
            assert [each() for each in (a, b, c, d)] == [0, 0, 1, 2]
        with turns.join() as e, turns.join() as f:
            assert [each() for each in (a, e, f)] == [0, 0, 1]


def test_who_leaves_without_having_had_a_turn_makes_room():
    turns = Turns(1)
    with turns.join() as a:
        with pytest.raises(KeyboardInterrupt), turns.join():
            raise KeyboardInterrupt
        with turns.join() as b:
            assert (a(), b()) == (0, 1)


def test_who_comes_after_all_left_waits_for_nobody():
    turns = Turns(1)
    with turns.join():
        pass
    with turns.join() as ahead:
        assert ahead() == 0
