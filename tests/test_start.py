"""What start.py says where the app cannot be set up, and what it starts."""

import ast
import io
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

import start

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def fresh(tmp_path, monkeypatch) -> list[list[str]]:
    """A clone without an environment; the commands that are run there are noted, and succeed."""
    commands: list[list[str]] = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    venv = tmp_path / ".venv"
    venv.mkdir()
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "VENV", venv)
    monkeypatch.setattr(start, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(start, "INSTALLED", venv / "installed-app")
    monkeypatch.setattr(start, "TESTS_INSTALLED", venv / "installed")
    monkeypatch.setattr(start.subprocess, "run", run)
    monkeypatch.setattr(start, "cpu_index", lambda: [])
    return commands


def said(capsys, *options: str) -> str:
    """What start.py says where it does not start the app."""
    assert start.main(list(options)) == 1
    return capsys.readouterr().err


def test_it_can_be_read_by_any_python_3():
    ast.parse((ROOT / "start.py").read_text("utf-8"), feature_version=(3, 6))


def test_it_imports_nothing_that_must_be_installed():
    tree = ast.parse((ROOT / "start.py").read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = [getattr(statement, "module", None) or statement.names[0].name for statement in imports]
    import sys

    assert {name.split(".")[0] for name in named} <= sys.stdlib_module_names


def test_an_old_python_is_told_which_is_needed(capsys, fresh, monkeypatch):
    monkeypatch.setattr(start.sys, "version_info", (3, 9, 2))
    assert "Python 3.11 or newer is needed" in said(capsys)
    assert fresh == []


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_what_to_install(capsys, fresh, monkeypatch, missing):
    monkeypatch.setattr(
        start.importlib.util, "find_spec", lambda name: None if name == missing else name
    )
    assert "apt install python3-venv" in said(capsys)
    assert fresh == []


def test_a_full_disk_is_said_before_anything_is_installed(capsys, fresh, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**12, 10**12, 5 * 10**8)
    monkeypatch.setattr(start.shutil, "disk_usage", lambda _: usage)
    words = said(capsys)
    assert "3 GB are needed" in words and "0.5 are free" in words
    assert fresh == []


def test_without_a_network_it_says_what_pip_may_take_instead(capsys, fresh, monkeypatch):
    def run(command, **_):
        return subprocess.CompletedProcess(command, int("pip" in command))

    monkeypatch.setattr(start.subprocess, "run", run)
    words = said(capsys)
    assert "Without a network" in words and "PIP_FIND_LINKS" in words
    assert not start.INSTALLED.exists()


def test_offline_installs_nothing_and_says_so(capsys, fresh):
    assert "--offline installs nothing" in said(capsys, "--offline")
    assert fresh == []


def test_what_is_installed_is_not_installed_again(fresh):
    start.install()
    assert [command[1:3] for command in fresh] == [["-m", "venv"], ["-m", "pip"]]
    start.PYTHON.parent.mkdir()
    start.PYTHON.touch()
    start.install()
    start.install(offline=True)
    assert len(fresh) == 2
    (start.ROOT / "requirements.txt").write_text("torch==9\n")
    start.install()
    assert len(fresh) == 3


def test_what_the_tests_installed_is_not_installed_again(fresh):
    start.PYTHON.parent.mkdir()
    start.PYTHON.touch()
    mark = start.hash_of("requirements-dev.txt", "requirements.txt")
    start.TESTS_INSTALLED.write_text(mark)
    start.install(offline=True)
    assert fresh == []


def test_the_app_is_checked_and_starts_with_the_options_that_follow(fresh, monkeypatch):
    started = []
    monkeypatch.setattr(start, "is_installed", lambda: True)
    monkeypatch.setattr(start.os, "chdir", lambda _: None)
    monkeypatch.setattr(start.os, "execv", lambda _, command: started.append(command))
    start.main(["--offline", "--server.port=8600", "--server.headless", "true"])
    (check,), (command,) = fresh, started
    assert check[1:] == ["-m", "wlm", "check", "--quick", "--port", "8600"]
    assert command[3:] == [
        *("run", "streamlit_app.py"),
        *("--server.port=8600", "--server.headless", "true"),
    ]


@pytest.mark.parametrize(
    ("system", "variables", "answers", "taken"),
    [
        ("Linux", {}, True, True),
        ("Linux", {}, False, False),
        ("Darwin", {}, True, False),
        ("Linux", {"PIP_INDEX_URL": "https://mirror.invalid/simple"}, True, False),
    ],
)
def test_pytorchs_small_builds_are_taken_where_their_index_answers(
    monkeypatch, system, variables, answers, taken
):
    def urlopen(url, timeout):
        assert url.startswith(start.CPU_INDEX) and timeout <= 2
        if not answers:
            raise TimeoutError
        return io.BytesIO()

    for name in start.PIP_INDEXES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(start.platform, "system", lambda: system)
    monkeypatch.setattr(start.urllib.request, "urlopen", urlopen)
    assert start.cpu_index() == (["--extra-index-url", start.CPU_INDEX] if taken else [])
