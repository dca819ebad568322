"""Can runs be stored, and does a worker measure?"""

import time
from collections.abc import Iterator
from contextlib import closing

from wlm.checking.finding import Finding
from wlm.measuring.comparison import CompareSpec
from wlm.paths import database_url
from wlm.runs.database import shown_url
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore
from wlm.runs.worker import open_queue

SECONDS = 1.0  # of measuring: enough to see that it does
PATIENCE = 60.0  # seconds until the worker is given up
WHO = "check"  # the visitor of the runs below


def look_at_store() -> Iterator[Finding]:
    """Store a run, read it, and delete it again."""
    store, run = RunStore(), Run(CompareSpec.kind, {}, state=State.DONE, visitor=WHO)
    store.create(run)
    store.delete(run.id, WHO)
    found = store.warning or f"{shown_url(store.url)} is writable"
    todo = "free disk space, or set WLM_DATABASE_URL to a writable database"
    yield Finding("store of runs", not store.warning, found, todo)


def look_at_worker() -> Iterator[Finding]:
    """Have the worker, or the cluster that WLM_DASK names, compare fp32 with int8."""
    store = RunStore(database_url())
    with closing(open_queue(store)) as jobs:
        run_id = jobs.submit(CompareSpec(seconds=SECONDS), WHO)
        end = time.monotonic() + PATIENCE
        while not (run := store.get(run_id)).state.final and time.monotonic() < end:
            time.sleep(0.1)
    if run.state.final:
        store.delete(run_id, WHO)
    if well := run.state == State.DONE:
        found = f"measured int8: {run.result['results'][1]['speedup']:.2f} times as fast as fp32"
    else:
        found = run.message or f"after {PATIENCE:.0f} s its run is {run.state}"
    yield Finding("worker", well, found, "see the worker's standard error")
