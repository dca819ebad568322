"""A room goes from round to round, and its code is what people can type."""

import pytest

from wlm.audience.room import Pair, Phase, Room, new_code, read_code
from wlm.errors import AudienceError

PAIR = Pair((("a",), ("b",)), 1)


def test_a_room_opens_and_shows_each_round_and_then_is_over():
    room = Room("host", (PAIR, PAIR))
    seen = []
    while room.phase != Phase.RESULT:
        room = room.next()
        seen.append((room.round, room.phase))
    phases = Phase.OPEN, Phase.CLOSED, Phase.SHOWN
    rounds = [(number, phase) for number in (0, 1) for phase in phases]
    assert seen == [*rounds, (1, Phase.RESULT)]
    assert room.next() is room


def test_a_closed_round_is_reopened_and_a_truth_that_was_shown_stays():
    room = Room("host", (PAIR, PAIR)).next()
    closed = room.next()
    assert closed.phase == Phase.CLOSED and closed.reopened() == room
    assert room.reopened() is room and closed.next().reopened() == closed.next()


def test_a_reset_room_is_at_its_beginning_under_a_new_code():
    room = Room("host", (PAIR, PAIR), created_at=1.0).next().next()
    fresh = room.reset()
    assert (fresh.round, fresh.phase, fresh.pairs) == (0, Phase.WAITING, room.pairs)
    assert fresh.code != room.code and fresh.created_at > room.created_at


def test_a_code_is_read_however_it_is_typed():
    code = new_code()
    assert read_code(f" {code.lower()} ") == code


@pytest.mark.parametrize("typed", ["", "ABCDE", "BCDF", "BCDFGH", "../..", "BCDF1", "B" * 10_000])
def test_what_is_no_code_is_said(typed):
    with pytest.raises(AudienceError, match="5 letters, such as KRTMD; got"):
        read_code(typed)
