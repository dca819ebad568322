"""A Streamlit server for tests and benchmarks to visit."""

import asyncio
import os
import socket
import sys
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from helpers.processes import ROOT, exit_code_of, start
from helpers.waiting import wait_for

APP = ("-m", "streamlit", "run", "streamlit_app.py")


@contextmanager
def serving(folder: Path, port: int, *script: str | Path, **variables: str) -> Iterator[str]:
    """Serve a Streamlit script and yield its address; its store, cache and data are in the folder.
    Fail if its log has a traceback."""
    environment = {
        **os.environ,
        "WLM_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite'}",
        "WLM_CACHE": str(folder / "cache"),
        "WLM_DATA": str(folder / "data"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        **variables,
    }
    for name in {"WLM_MODELS", "WLM_TEXTS"} - variables.keys():
        environment.pop(name, None)
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = start(sys.executable, *script, *options, env=environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: process.poll() is not None or is_healthy(address), "the server")
            assert process.poll() is None, f"the server did not start: {folder / 'log'}"
            yield address
        finally:
            process.terminate()
            exit_code_of(process)
    said = (folder / "log").read_text()
    assert "Traceback" not in said, said


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health"):
            return True
    except OSError:
        return False


def outcome_of(visit: Coroutine):
    """Return the result of a visit. It runs in a separate thread because Playwright leaves an event
    loop running in the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, visit).result()
