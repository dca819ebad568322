"""The command check."""

import json

import pytest

from wlm.checking import check as checking
from wlm.checking.finding import Finding
from wlm.cli.main import main


@pytest.fixture
def findings(monkeypatch) -> list[Finding]:
    """What the checks find."""
    found = [
        Finding("disk", True, "9 GB free"),
        Finding("port", False, "8501: taken", "end it"),
    ]
    monkeypatch.setattr(checking, "check", lambda port, quick, warm: iter(found))
    return found


def test_a_cross_says_what_to_do_and_the_exit_code_is_1(capsys, findings):
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["✓ disk: 9 GB free", "✗ port: 8501: taken", "  → end it"]
    assert lines[3].startswith("2 checks in ") and lines[3].endswith("1 failed")


def test_where_all_is_well_the_exit_code_is_0(capsys, findings):
    findings.pop()
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("all passed\n")


def test_json_has_every_check(capsys, findings):
    assert main(["check", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["well"] is False and content["seconds"] >= 0
    assert content["checks"][1] == {
        "subject": "port",
        "well": False,
        "found": "8501: taken",
        "todo": "end it",
    }


@pytest.mark.parametrize("address", ["localhost:8501", "ftp://x", "nonsense", "http://"])
def test_what_is_no_address_of_a_server_is_refused(capsys, address):
    assert main(["check", "--server", address]) == 2
    assert "must be like http://localhost:8501" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_a_cross(capsys, unused_port):
    address = f"http://127.0.0.1:{unused_port()}"
    assert main(["check", "--server", address]) == 1
    assert f"✗ server: {address} does not answer" in capsys.readouterr().out


def test_options_that_do_not_go_together_are_refused(capsys):
    assert main(["check", "--server", "http://x", "--warm"]) == 2
    assert "leave out --warm" in capsys.readouterr().err


@pytest.mark.slow
def test_this_machine_is_well(capsys, unused_port):
    code = main(["check", "--json", "--port", str(unused_port())])
    content = json.loads(capsys.readouterr().out)
    assert [check for check in content["checks"] if not check["well"]] == []
    assert code == 0
    subjects = {check["subject"] for check in content["checks"]}
    assert subjects >= {"Python", "packages", "model wikitext2-lstm", "text demo", "int8 LSTM"}
    assert subjects >= {"store of runs", "worker", "port", "disk"}
