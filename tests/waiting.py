"""How tests wait: for a state, with one generous limit."""

import time
from collections.abc import Callable

from wlm.runs.store import Run, RunStore

PATIENCE = 60.0  # seconds: how long a loaded machine may take, not how long it should


def wait_for(condition: Callable[[], object], what: str):
    """Return what `condition` returns once that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")


def ended(store: RunStore, run_id: str) -> Run:
    return wait_for(lambda: (run := store.get(run_id)).state.final and run, "the run's end")
