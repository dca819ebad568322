"""What one network address may have of something shared."""

from wlm import shares
from wlm.shares import Shares


def test_an_address_has_so_many_things_and_the_others_theirs():
    share = Shares(2, 60.0)
    assert share.take("a", 1) and share.take("a", 2) and not share.take("a", 3)
    assert share.take("a", 1)  # it has this one
    assert share.take("b", 3) and share.is_full("a") and not share.is_full("b")
    assert share.has("a", 2) and not share.has("a", 3)


def test_without_a_name_each_thing_is_a_new_one():
    share = Shares(2, 60.0)
    assert [share.take("a") for _ in range(3)] == [True, True, False]


def test_things_are_forgotten_after_a_time():
    now = [0.0]
    share = Shares(1, 60.0, lambda: now[0])
    assert share.take("a", 1) and not share.take("a", 2)
    now[0] = 61.0
    assert share.take("a", 2) and not share.take("a", 1)


def test_an_unknown_address_is_not_bounded():
    assert all(Shares(1, 60.0).take("") for _ in range(3))


def test_only_so_many_addresses_are_remembered(monkeypatch):
    monkeypatch.setattr(shares, "MOST_ADDRESSES", 2)
    share = Shares(1, 60.0)
    for address in "abac":
        share.take(address, 1)
    assert share.is_full("a") and share.is_full("c") and not share.is_full("b")
