"""Child processes of tests: started so that Ctrl-C reaches them, waited for with patience."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from helpers.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def start(*command: str | Path, **options) -> subprocess.Popen:
    """Start a command in the project's folder. Ctrl-C ends it, though tests that run in the
    background ignore it, which children inherit."""
    options = {"cwd": ROOT, "text": True, "preexec_fn": _heed_ctrl_c, **options}
    return subprocess.Popen(command, **options)


def start_wlm(*arguments: str | Path, **options) -> subprocess.Popen:
    """Start a command of `python -m wlm`, its standard output to be read."""
    options = {"stdout": subprocess.PIPE, **options}
    return start(sys.executable, "-m", "wlm", *arguments, **options)


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def output_of(process: subprocess.Popen) -> tuple:
    """Return what a process prints, to standard output and standard error, until it ends."""
    try:
        return process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def exit_code_of(process: subprocess.Popen) -> int:
    """Return the exit code of a process once it has ended by itself."""
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def read_until(terminal: int, words: bytes) -> None:
    """Read from a terminal's end until these words have come."""
    seen = b""
    while words not in seen:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, f"waited {PATIENCE:.0f} s in vain for {words!r}, got {seen!r}"
        seen += os.read(terminal, 100_000)
