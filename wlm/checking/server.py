"""Does a running server answer, and does its worker live?"""

import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from wlm.checking.finding import Finding
from wlm.errors import SettingError
from wlm.runs.database import shown_url
from wlm.runs.heartbeat import SUFFIX, worker_of
from wlm.runs.store import RunStore

HEALTH = "/_stcore/health"  # Streamlit's own; it does not cover the worker
SECONDS = 5.0
PATIENCE = 15.0  # seconds; a server gives a sign of life every 10 s, its worker every 5 s
LOOK_SECONDS = 0.5
LOG = "look at the server's log"


def look(address: str) -> Iterator[Finding]:
    """Check whether a server answers at an address, and whether its worker gives heartbeats to the
    store of runs.

    Raises SettingError if the address is not valid.
    """
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise SettingError(
            f"a server's address must be like http://localhost:8501, got {address[:200]!r}"
        )
    well = is_healthy(address)
    found = f"{address} answers" if well else f"{address} does not answer"
    yield Finding("server", well, found, f"start the server, and {LOG}")
    if well:
        yield _cluster() if os.environ.get("WLM_DASK") else _workers(RunStore())


def is_healthy(address: str) -> bool:
    """Tell whether a Streamlit server answers at an address."""
    try:
        with urllib.request.urlopen(address.rstrip("/") + HEALTH, timeout=SECONDS) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def _cluster() -> Finding:
    from wlm.runs.worker import open_queue  # imports PyTorch

    with closing(open_queue(RunStore())) as jobs:
        return Finding("worker", *jobs.worker(), "start the cluster")


def _workers(store: RunStore) -> Finding:
    """Wait until every server and worker in the store has given a new sign of life, and judge the
    workers of the servers that have."""
    first, end = store.signs(), time.monotonic() + PATIENCE
    while True:
        signs = store.signs()
        alive = {name for name, sign in signs.items() if sign != first.get(name)}
        servers = {name for name in signs if not name.endswith(SUFFIX)}
        expected = servers | set(map(worker_of, servers))
        if not servers or expected <= alive or time.monotonic() > end:
            break
        time.sleep(LOOK_SECONDS)
    if store.warning:
        todo = "set WLM_DATABASE_URL to the database of the server"
        return Finding("worker", False, store.warning, todo)
    living = servers & alive
    silent = [server for server in living if worker_of(server) not in alive]
    if silent:
        found = f"no heartbeat for {PATIENCE:.0f} s from the worker of {', '.join(sorted(silent))}"
        return Finding("worker", False, found, f"{LOG}; the next run starts a new worker")
    if living:
        return Finding("worker", True, "alive")
    # The row of a server that has ended may still be in the store.
    return Finding("worker", True, f"{shown_url(store.url)}: starts with the first visitor")
