"""The settings of a server whose visitors nobody knows."""

import re
from pathlib import Path

import pytest

from wlm.errors import SettingError
from wlm.hosting import Hosting, hosting, read, settings

ROOT = Path(__file__).resolve().parents[1]


def test_without_any_variable_nothing_is_bounded():
    here = read({"PATH": "/bin"})
    assert here == Hosting() and not here.public
    for activity in ("fetching", "importing", "uploading"):
        assert here.allows(activity)
        here.check_allowed(activity)


def test_in_public_everything_that_takes_room_is_off_unless_switched_on():
    here = read({"WLM_PUBLIC": "1", "WLM_ALLOW_UPLOAD": "true"})
    assert here.public and here.allows("uploading")
    here.check_allowed("uploading")
    for activity, variable in (("fetching", "WLM_ALLOW_FETCH"), ("importing", "WLM_ALLOW_IMPORT")):
        assert not here.allows(activity)
        with pytest.raises(SettingError, match=rf"{activity} is switched off .*\({variable}\)"):
            here.check_allowed(activity)


def test_limits_and_the_note_are_read():
    here = read({"WLM_RUN_SECONDS": " 12 ", "WLM_HOST_NOTE": "Hosted by A <b>."})
    assert (here.seconds, here.note) == (12, "Hosted by A <b>.")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("WLM_PUBLIC", "yes", "0 or 1, got 'yes'"),
        ("WLM_ALLOW_UPLOAD", "2", "0 or 1, got '2'"),
        ("WLM_RUN_SECONDS", "0", "a whole number from 1 to 86,400, got '0'"),
        ("WLM_RUN_SECONDS", "-1", "got '-1'"),
        ("WLM_RUN_SECONDS", "1e3", "got '1e3'"),
        ("WLM_RUNS_PER_VISITOR", "", "a whole number from 1 to 10,000, got ''"),
        ("WLM_RUN_VARIANTS", "9", "from 1 to 8, got '9'"),
        ("WLM_HOST_NOTE", "x" * 301, "at most 300 characters, got 301"),
    ],
)
def test_a_setting_that_is_none_is_refused_with_what_is_allowed(variable, value, words):
    with pytest.raises(SettingError, match=f"{variable} must .*{re.escape(words)}"):
        read({variable: value})


def test_settings_are_read_once(monkeypatch):
    hosting.cache_clear()
    first = hosting()
    monkeypatch.setenv("WLM_RUN_SECONDS", "7")
    assert hosting() is first


def test_every_setting_is_in_the_documentation_with_its_default():
    text = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(WLM_\w+)` \| ([^|]+) \|", text, re.M))
    for variable, _, default, _ in settings():
        shown = {False: "off", "": "none"}.get(default) or f"{default:,}"
        assert rows.get(variable) == shown, variable
