"""Things kept: how many, how much, and made once."""

import threading

import pytest

from helpers.waiting import wait_for
from wlm.bounded_cache import BoundedCache


@pytest.fixture
def kept() -> BoundedCache:
    """At most three strings, of at most ten letters together."""
    return BoundedCache(most=3, most_bytes=10, size=len)


def keys(kept: BoundedCache) -> list:
    return list(kept._things)


def test_a_thing_is_made_once(kept):
    made = []
    for _ in range(3):
        assert kept.get("a", lambda: made.append("a") or "a") == "a"
    assert made == ["a"] and kept.made == 1
    assert kept.find("a") == "a" and kept.find("b") is None


def test_those_not_asked_for_longest_make_room_for_others(kept):
    for key in "abcad":
        kept.get(key, lambda key=key: key)
    assert keys(kept) == ["c", "a", "d"] and kept.bytes == 3


def test_things_of_so_many_bytes_are_kept_and_the_last_one_always(kept):
    for key in ("aaaa", "bbbb", "cc"):
        kept.get(key, lambda key=key: key)
    assert keys(kept) == ["aaaa", "bbbb", "cc"] and kept.bytes == 10
    kept.get("ddd", lambda: "ddd")
    assert keys(kept) == ["bbbb", "cc", "ddd"] and kept.bytes == 9
    kept.get("large", lambda: "x" * 99)
    assert keys(kept) == ["large"] and kept.bytes == 99
    kept.get("e", lambda: "e")
    assert keys(kept) == ["e"] and kept.bytes == 1
    kept.drop("e")
    kept.drop("e")
    assert len(kept) == kept.bytes == 0


def test_nothing_is_left_when_it_is_cleared(kept):
    for key in "ab":
        kept.get(key, lambda key=key: key)
    kept.clear()
    assert len(kept) == kept.bytes == 0


def test_who_asks_for_what_is_being_made_waits_and_others_do_not(kept):
    begun, may_end, got = threading.Event(), threading.Event(), []

    def make() -> str:
        begun.set()
        assert may_end.wait(60)
        return "slow"

    threads = [
        threading.Thread(target=lambda: got.append(kept.get("slow", make))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    assert kept.get("quick", lambda: "quick") == "quick"
    may_end.set()
    wait_for(lambda: len(got) == 5, "all five")
    assert got == ["slow"] * 5 and kept.made == 2


def test_what_could_not_be_made_is_tried_again(kept):
    def fail():
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        kept.get("a", fail)
    assert kept.get("a", lambda: "a") == "a"
