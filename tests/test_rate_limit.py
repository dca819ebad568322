"""How much one network address may do within a time."""

from wlm import rate_limit
from wlm.rate_limit import RateLimit


def test_an_address_has_so_many_things_and_the_others_theirs():
    limit = RateLimit(2, 60.0)
    assert limit.take("a", 1) and limit.take("a", 2) and not limit.take("a", 3)
    assert limit.take("a", 1)  # it has this one
    assert limit.take("b", 3) and limit.is_full("a") and not limit.is_full("b")
    assert limit.has("a", 2) and not limit.has("a", 3)


def test_without_a_name_each_thing_is_a_new_one():
    limit = RateLimit(2, 60.0)
    assert [limit.take("a") for _ in range(3)] == [True, True, False]


def test_things_are_forgotten_after_a_time():
    now = [0.0]
    limit = RateLimit(1, 60.0, lambda: now[0])
    assert limit.take("a", 1) and not limit.take("a", 2)
    now[0] = 61.0
    assert limit.take("a", 2) and not limit.take("a", 1)


def test_an_unknown_address_is_not_bounded():
    assert all(RateLimit(1, 60.0).take("") for _ in range(3))


def test_only_so_many_addresses_are_remembered(monkeypatch):
    monkeypatch.setattr(rate_limit, "MOST_ADDRESSES", 2)
    limit = RateLimit(1, 60.0)
    for address in "abac":
        limit.take(address, 1)
    assert limit.is_full("a") and limit.is_full("c") and not limit.is_full("b")
