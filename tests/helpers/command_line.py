"""The command line in this process, and as a process that is interrupted."""

import json
import os
import pty
import signal
import termios

from helpers.processes import output_of, read_until, start_wlm
from wlm.cli.main import main


def run_json(capsys, *arguments: str):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def interrupted(shown: bytes, *arguments: str) -> tuple[str, bytes]:
    """Run a command until its progress shows these words, press Ctrl-C, and return its output and
    the last messages on the terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # a bar without a width shows nothing
    process = start_wlm(*arguments, stderr=theirs)
    read_until(ours, shown)
    process.send_signal(signal.SIGINT)
    printed, _ = output_of(process)
    errors = os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    return printed, errors
