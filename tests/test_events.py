"""The log's lines."""

import contextlib
import json
import sys
from pathlib import Path

from wlm.events import note


def test_a_line_is_json_without_what_is_not_known(public, capsys):
    public()
    note(
        "page", "0123456789abcdef" * 2, page="Compare", run=None, seconds=0.123456, outcome="drawn"
    )
    line = json.loads(capsys.readouterr().err)
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "event": "page",
        "visitor": "01234567",
        "page": "Compare",
        "seconds": 0.123,
        "outcome": "drawn",
    }


def test_a_log_that_cannot_be_written_stops_nobody(public, monkeypatch):
    public()
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        note("page", "anna")
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()


def test_where_no_strangers_come_nothing_is_logged_unless_asked(capsys, monkeypatch, public):
    note("page", "anna")
    assert capsys.readouterr().err == ""
    public(public=0, log=1)
    note("page", "anna")
    assert json.loads(capsys.readouterr().err)["visitor"] == "anna"
