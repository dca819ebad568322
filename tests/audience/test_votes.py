"""Whether a room beats a coin, with intervals from published tables."""

import pytest

from wlm.audience.votes import Votes, count_right, share_right, verdict
from wlm.measuring.intervals import share_interval


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),  # 1 - 0.025 ** (1 / 10)
        (10, 10, 0.6915, 1.0),
        (1, 1, 0.025, 1.0),
        (5, 10, 0.1871, 0.8129),
        (81, 263, 0.2527, 0.3676),
    ],
)
def test_the_exact_interval_is_clopper_and_pearsons(hits, total, low, high):
    interval = share_interval(hits, total)
    assert interval.value == hits / total
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_the_share_is_of_all_votes_of_all_rounds():
    rounds = [Votes((3, 1), quantized=0), Votes((2, 4), quantized=1), Votes((0, 0), quantized=0)]
    assert [round.right for round in rounds] == [3, 4, 0]
    assert share_right(rounds).value == 7 / 10
    assert share_right([Votes((0, 0), 0)]) is None


@pytest.mark.parametrize(
    ("counts", "words", "counted"),
    [
        ((0, 0), "Nobody has voted.", ""),
        ((90, 10), "The room beats a coin.", "90 of 100 votes were right: 90% (95% interval 82"),
        ((10, 90), "A coin beats the room.", "10 of 100 votes were right: 10% ("),
        ((5, 5), "The room does not clearly beat a coin.", "5 of 10 votes were right: 50% ("),
    ],
)
def test_the_verdict_says_whether_the_room_beats_a_coin(counts, words, counted):
    rounds = [Votes(counts, quantized=0)]
    assert verdict(rounds) == words
    assert count_right(rounds).startswith(counted) and bool(count_right(rounds)) == bool(counted)
