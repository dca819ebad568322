"""Who is at the browser."""

import logging
from types import SimpleNamespace

import pytest

from view.shared import visitor


def be(monkeypatch, **context) -> None:
    state = SimpleNamespace(context=SimpleNamespace(**context), session_state={})
    monkeypatch.setattr(visitor, "st", state)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("testclient", "testclient", True),
    ],
)
def test_an_ipv6_network_is_one_address(monkeypatch, one, other, same):
    words = []
    for address in (one, other):
        be(monkeypatch, ip_address=address)
        words.append(visitor.address())
    assert (words[0] == words[1]) is same
    assert one not in words[0]


def test_an_unknown_address_is_no_word(monkeypatch):
    be(monkeypatch, ip_address=None)
    assert visitor.address() == ""


@pytest.mark.parametrize(("cookie", "warned"), [("", False), ("another kind", True)])
def test_a_cookie_that_cannot_be_read_is_logged(monkeypatch, caplog, cookie, warned):
    be(monkeypatch, cookies={visitor.XSRF_COOKIE: cookie} if cookie else {})
    with caplog.at_level(logging.WARNING):
        assert len(visitor.name()) == 32
    assert ("cannot be read" in caplog.text) is warned
    assert "another kind" not in caplog.text


def test_a_visitor_is_the_same_under_each_mask_of_its_cookie(monkeypatch):
    names = set()
    for cookie in ("2|00|6162|1", "2|ff|9e9d|1"):
        be(monkeypatch, cookies={visitor.XSRF_COOKIE: cookie})
        names.add(visitor.name())
    assert len(names) == 1
