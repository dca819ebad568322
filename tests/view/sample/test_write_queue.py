"""At most so many at once, in the order in which they came."""

import pytest

from view.sample.write_queue import WriteQueue


def test_the_first_ones_go_ahead_and_the_others_wait_in_order():
    queue = WriteQueue(2)
    with queue.join("a") as a:
        with queue.join("b") as b, queue.join("c") as c, queue.join("d") as d:
            assert [ahead() for ahead in (a, b, c, d)] == [0, 0, 1, 2]
        with queue.join("e") as e, queue.join("f") as f:
            assert [ahead() for ahead in (a, e, f)] == [0, 0, 1]


def test_who_leaves_without_having_had_a_turn_makes_room():
    queue = WriteQueue(1)
    with queue.join("a") as a:
        with pytest.raises(KeyboardInterrupt), queue.join("b"):
            raise KeyboardInterrupt
        with queue.join("b") as b:
            assert (a(), b()) == (0, 1)


def test_who_comes_after_all_left_waits_for_nobody():
    queue = WriteQueue(1)
    with queue.join("a"):
        pass
    with queue.join("b") as ahead:
        assert ahead() == 0


def test_a_visitor_with_many_tabs_waits_behind_those_with_one():
    queue = WriteQueue(1)
    with queue.join("a") as first:
        assert first() == 0
        with queue.join("a") as second, queue.join("a") as third, queue.join("b") as other:
            assert [ahead() for ahead in (first, other, second, third)] == [0, 1, 2, 3]


def test_a_turn_that_has_come_is_not_lost_to_one_who_comes_later():
    queue = WriteQueue(2)
    with queue.join("a") as first, queue.join("a") as second:
        assert first() == second() == 0
        with queue.join("b") as other:
            assert (other(), second()) == (1, 0)
