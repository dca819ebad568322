"""Do a run in this process, step by step, and write its progress to the store."""

import logging
import time
import traceback
from collections.abc import Callable

from wlm.errors import WLMError, defect
from wlm.events import note
from wlm.inspecting.times import InspectSpec, inspect
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import pinned
from wlm.measuring.memories import MemorySpec, measure_memory
from wlm.runs.prefetch import Prefetch
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore

logger = logging.getLogger(__name__)

# What a worker can do, by a run's kind: the class of its settings and the job, which yields
# `Progress`.
KINDS = {
    CompareSpec.kind: (CompareSpec, compare),
    InspectSpec.kind: (InspectSpec, inspect),
    MemorySpec.kind: (MemorySpec, measure_memory),
}


def execute(
    run_id: str,
    store: RunStore,
    *,
    again: bool = False,
    prefetched: Prefetch | None = None,
    most_seconds: float | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Do a run in this process and write its progress to the store; safe to call again.

    A run under way is left to its process or, with `again`, begun again, since its worker has died.
    A `prefetched` job continues from its current step. If another process ends the run, since its
    server is gone, that end is kept. After `most_seconds` of measuring the run is stopped.
    `on_step` is called after each step.
    """
    run = store.glance(run_id)
    if run.state != State.QUEUED and not (again and run.state == State.RUNNING):
        return
    started_at, began = time.time(), time.monotonic()
    store.update(run_id, state=State.RUNNING, started_at=started_at)
    try:
        end = _do(run, store, prefetched, most_seconds, on_step)
    except WLMError as error:
        end = {"state": State.FAILED, "message": str(error)}
    except MemoryError:
        end = {"state": State.FAILED, "message": "There is not enough memory for this run."}
    except Exception:
        logger.error("run %s failed\n%s", run_id, traceback.format_exc())
        end = {"state": State.FAILED, "message": f"{defect('This run')}."}
    if end is None:
        return
    finished_at = max(started_at, time.time())  # the clock may have stepped back
    store.update(run_id, seconds_left=None, finished_at=finished_at, **end)
    seconds = time.monotonic() - began
    note("run", run.visitor, run=run_id, kind=run.kind, seconds=seconds, outcome=end["state"])


def _do(
    run: Run,
    store: RunStore,
    prefetched: Prefetch | None,
    most_seconds: float | None,
    on_step: Callable[[], None],
) -> dict | None:
    """Do a run's steps; return its end as fields, or None if another process ended the run."""
    spec_class, do = KINDS[run.kind]
    spec = spec_class.from_json(run.spec)
    # A run that knows its end is given time to reach it.
    allowed = most_seconds and most_seconds * (1 if spec.seconds is None else 2)
    measuring = None  # when the measuring began
    with pinned(spec.threads):
        for progress in (prefetched and prefetched.take(spec)) or do(spec):
            on_step()
            now = store.glance(run.id)
            if now.state.final:
                return None
            fields = {}
            if progress.measured is not None:
                fields["result"] = progress.measured.to_json()
                measuring = measuring or time.monotonic()
            if now.stop_requested:
                return {**fields, "state": State.STOPPED}
            if allowed and measuring and time.monotonic() > measuring + allowed:
                message = f"This server ends a run after {allowed:.0f} s of measuring"
                return {**fields, "state": State.STOPPED, "message": message}
            fields |= {"stage": progress.stage, "done": progress.done}
            store.update(run.id, seconds_left=progress.seconds_left, **fields)
    return {"state": State.DONE, "done": 1.0}
