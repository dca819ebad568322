"""How tests wait: for a state or an event, with one generous limit, which no test is to measure."""

import time
from collections.abc import Callable

from wlm.runs.run import Run
from wlm.runs.store import RunStore

PATIENCE = 90.0  # seconds: how long a loaded machine may take, not how long it should


def wait_for(condition: Callable[[], object], what: str):
    """Return what `condition` returns once that is true."""
    end, pause = time.monotonic() + PATIENCE, 0.01
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(pause)
        pause = min(1.5 * pause, 0.1)  # a look costs time that the others need
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")


def ended(store: RunStore, run_id: str) -> Run:
    """Return a run once it has ended."""
    return wait_for(lambda: (run := store.get(run_id)).state.final and run, "the run's end")
