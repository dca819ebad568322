"""A room goes from round to round, and its code is what people can type."""

import pytest

from wlm.audience.room import Pair, Phase, Room, new_code, read_code
from wlm.errors import AudienceError

PAIR = Pair((("a",), ("b",)), 1)


def test_a_room_opens_and_shows_each_round_and_then_is_over():
    room = Room("host", (PAIR, PAIR))
    seen = []
    while not room.is_over:
        room = room.next()
        seen.append((room.round, room.phase))
    assert seen == [(0, Phase.OPEN), (0, Phase.SHOWN), (1, Phase.OPEN), (1, Phase.SHOWN)]
    assert room.next() is room


def test_a_code_is_read_however_it_is_typed():
    code = new_code()
    assert read_code(f" {code.lower()} ") == code


@pytest.mark.parametrize("typed", ["", "ABCDE", "BCDF", "BCDFGH", "../..", "BCDF1", "B" * 10_000])
def test_what_is_no_code_is_said(typed):
    with pytest.raises(AudienceError, match="5 letters such as KRTMD, got"):
        read_code(typed)
