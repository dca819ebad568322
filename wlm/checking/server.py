"""Is a running server well? Asked as a visitor's browser asks it, its worker included."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from wlm.checking.finding import Finding
from wlm.checking.pages import view_process
from wlm.errors import SettingError

HEALTH = "/_stcore/health"  # of Streamlit: it knows nothing of the worker
SECONDS = 5.0
PATIENCE = 30.0  # seconds until an answer is given up


def look(address: str) -> Iterator[Finding]:
    """Ask a server by its address whether it answers, draws a page, and has its worker.

    Raises SettingError for what is no address.
    """
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise SettingError(
            f"a server's address is written such as http://localhost:8501, got {address[:200]!r}"
        )
    well = is_healthy(address)
    found = f"{address} answers" if well else f"{address} does not answer"
    yield Finding("server", well, found, "start it, and look at its log")
    if well:
        yield from _ask(address)


def is_healthy(address: str) -> bool:
    """Tell whether a Streamlit server answers at an address."""
    try:
        with urllib.request.urlopen(address.rstrip("/") + HEALTH, timeout=SECONDS) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def _ask(address: str) -> Iterator[Finding]:
    process = view_process("view.probing.ask", address)
    try:
        printed, errors = process.communicate(timeout=PATIENCE)
        answer = json.loads(printed)
    except (subprocess.TimeoutExpired, ValueError) as error:
        process.kill()
        timed_out = isinstance(error, subprocess.TimeoutExpired)
        last = ["it took too long"] if timed_out else errors.strip().splitlines() or ["no answer"]
        yield Finding("page", False, f"no page came: {last[-1][:200]}", "look at its log")
        return
    problems = "; ".join(answer["problems"])
    found = problems or f"it came after {answer['seconds']:.2f} s"
    yield Finding("page", not problems, found, "look at its log")
    worker = answer["worker"] or "the page says nothing of it"
    yield Finding("worker", answer["well"], worker, "look at its log, or start it again")
