"""A run's id: not to be guessed, and fit for a command line."""

import secrets

from wlm.runs.run import new_id


def test_no_id_looks_like_an_option(monkeypatch):
    drawn = iter(["-Zk3jf82ld0sAqwe", "--3jf82ld0sAqweR", "aZk3jf82ld0sAqwe"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda bytes: next(drawn))
    assert new_id() == "aZk3jf82ld0sAqwe"
