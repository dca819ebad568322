"""python -m wlm runs."""

import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from helpers.command_line import run_json
from wlm.cli.main import main

ROOT = Path(__file__).resolve().parents[3]


def kept_run(capsys, *variants: str) -> str:
    """Compare, and return the id of the run that was kept."""
    arguments = "compare --model tiny --text short --tokens 200 --bptt 5 --variants".split()
    assert main([*arguments, *variants]) == 0
    return re.search(r"kept as run (\S+)", capsys.readouterr().out)[1]


def test_a_comparison_is_kept_and_listed_newest_first(capsys):
    ids = [kept_run(capsys, *variants) for variants in (("fp32", "int8"), ("fp32", "fp32"))]
    rows = run_json(capsys, "runs", "list")
    assert [row["id"] for row in rows] == ids[::-1]
    assert [row["variants"] for row in rows] == [
        ["fp32", "fp32"],
        ["fp32", "int8 LSTM + Linear"],
    ]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert all(f"`{key}`" in documented for key in rows[0])
    assert main(["runs", "list", "--most", "1"]) == 0
    printed = capsys.readouterr().out
    assert ids[1] in printed and ids[0] not in printed


def test_an_empty_list_says_so(capsys):
    assert main(["runs", "list"]) == 0
    assert capsys.readouterr().out == "no runs are kept yet\n"


def test_a_run_is_shown_exported_deleted_and_imported_again(capsys, tmp_path, monkeypatch):
    run_id = kept_run(capsys, "fp32", "int8")
    content = run_json(capsys, "runs", "show", run_id)
    assert content["id"] == run_id
    assert main(["runs", "show", run_id]) == 0
    assert "| int8 LSTM + Linear |" in capsys.readouterr().out
    exported = tmp_path / "run.json"
    for format, beginning in (
        ("markdown", "**"),
        ("csv", "round,variant,label,tokens,wall_s,cpu_s,group\n1,fp32,fp32,"),
        ("html", "<!DOCTYPE html>"),
        ("json", '{"format": "wlm-run"'.replace("{", "{\n ")),
    ):
        assert main(["runs", "export", run_id, "--format", format]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith(beginning)
        exported.write_text(printed, "utf-8")
        if format == "html":
            imported = run_json(capsys, "runs", "import", str(exported))
            assert imported["origin"] == "imported"
            assert main(["runs", "delete", imported["id"]]) == 0
            capsys.readouterr()
    assert run_json(capsys, "runs", "delete", run_id) == {"deleted": run_id}
    assert run_json(capsys, "runs", "list") == []
    imported = run_json(capsys, "runs", "import", str(exported))
    assert imported["origin"] == "imported" and imported["id"] != run_id
    again = run_json(capsys, "runs", "show", imported["id"])
    assert again["result"]["results"] == content["result"]["results"]
    standard_input = SimpleNamespace(buffer=io.BytesIO(exported.read_bytes()))
    monkeypatch.setattr(sys, "stdin", standard_input)
    assert main(["runs", "import", "-"]) == 0
    assert re.fullmatch(r"kept as run \S+\n", capsys.readouterr().out)
    assert len(run_json(capsys, "runs", "list")) == 2
