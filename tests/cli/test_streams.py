"""Output of every command: to a code page, to a full disk, to a closed stream."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.mirror import FILES
from helpers.processes import ROOT
from wlm.cli import output, streams
from wlm.cli.main import COMMANDS, main
from wlm.measuring.comparison import CompareSpec
from wlm.runs.run import State, finished_run
from wlm.runs.store import RunStore

COMMAND_LINES = (
    "compare --model tiny --text short --tokens 100",
    "sweep --model tiny --text short --over bptt=5,10 --seconds 0.2",
    "evaluate --model tiny --text short --tokens 100",
    "size --model tiny",
    "inspect --model tiny --text short --seconds 0.1",
    "sample --model tiny --words 5",
    "sample --model tiny --words 5 --compare",
    "export --model tiny --variant int8 --out OUT",
    "fetch wikitext-2",
    "reproduce --model tiny --text short",
    "train --corpus CORPUS --out OUT --preset tiny --minutes 0.01",
    "runs list",
    "runs show RUN",
    "runs export RUN --format markdown",
    "runs delete RUN",
    "info",
    "check --quick",
)
NO_ANSWER = {"worker"}  # the server reads the database instead


def test_every_command_is_tested():
    assert {line.split()[0] for line in COMMAND_LINES} | NO_ANSWER == set(COMMANDS)


@pytest.fixture(params=COMMAND_LINES)
def command(request, tmp_path, mirror, result) -> list[str]:
    """A command line whose model, text, run and files are there."""
    spec = CompareSpec(model="tiny", text="short", tokens=100)
    run = finished_run(spec, result, 0.0, State.DONE)
    RunStore().create(run)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, content in FILES.items():
        (corpus / name).write_bytes(content[:5_000])
    places = {"RUN": run.id, "OUT": str(tmp_path / "out"), "CORPUS": str(corpus)}
    return [places.get(word, word) for word in shlex.split(request.param)]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_code_page_is_enough(monkeypatch, command, encoding):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    assert main(command) in (0, 1)
    assert streams[0].buffer.getvalue()


def test_a_full_disk_is_an_error_in_one_line(monkeypatch, capsys, command):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(command) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "wlm: error: standard output cannot be written: No space left on device"


def test_standard_error_on_a_full_disk_loses_no_answer(monkeypatch, capsys, command):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert main(command) in (0, 1)
    assert capsys.readouterr().out


@pytest.mark.parametrize("closed", [("stdout",), ("stderr",), ("stdin", "stdout", "stderr")])
def test_a_closed_stream_is_not_needed(monkeypatch, command, closed):
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert main(command) in (0, 1)


@pytest.mark.parametrize(
    ("redirected", "code"),
    [
        ("info >/dev/full", 2),
        ("info >&-", 0),
        ("info 2>&-", 0),
        ("info 2>/dev/full", 0),
        ("--version >&-", 0),
        ("--version >/dev/full", 2),
        ("size --model nowhere 2>&-", 2),
        ("size --model nowhere 2>/dev/full", 2),
        ("nonsense 2>/dev/full", 2),
        ("runs list <&- >&- 2>&-", 0),
    ],
)
@pytest.mark.slow
def test_the_shell_redirects_to_nowhere(redirected, code):
    done = subprocess.run(
        f"env -u PYTHONUNBUFFERED {shlex.quote(sys.executable)} -m wlm {redirected}",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize("format", ["csv", "markdown", "html"])
def test_a_redirected_export_is_in_utf_8(monkeypatch, result, format):
    result["machine"]["cpu"] = "木 × é"
    for variant in result["results"]:
        variant["label"] = "木 × é"
    spec = CompareSpec(model="tiny", text="short", tokens=100)
    run = finished_run(spec, result, 0.0, State.DONE)
    RunStore().create(run)
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["runs", "export", run.id, "--format", format]) == 0
    assert "木 × é" in stream.buffer.getvalue().decode("utf-8")


def test_a_character_without_a_plain_form_becomes_a_question_mark(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    streams.prepare_streams()
    output.say("✓ 木 → é\udcff")
    streams.flush()
    assert stream.buffer.getvalue().decode("cp1252").rstrip() == "ok ? -> é?"


def test_a_sample_that_ends_before_its_first_word_has_no_speed(capsys, monkeypatch):
    monkeypatch.setattr("wlm.sampling.words.sample_words", lambda *_: iter(()))
    assert main("sample --model tiny --words 5 --stop-at-article --json".split()) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["words"] == [] and content["words_per_s"] is None
