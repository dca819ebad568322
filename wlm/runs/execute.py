"""A run done in this process, step by step, and written to the store as it goes."""

import logging
import time
import traceback

from wlm.errors import WLMError, defect
from wlm.events import note
from wlm.inspecting.times import InspectSpec, inspect
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import pinned
from wlm.runs.ready import Ready
from wlm.runs.run import State
from wlm.runs.store import RunStore

logger = logging.getLogger(__name__)

# What a worker can do, by a run's kind: the class of its settings and the job, which yields
# `Progress`.
KINDS = {
    CompareSpec.kind: (CompareSpec, compare),
    InspectSpec.kind: (InspectSpec, inspect),
}


def execute(
    run_id: str,
    store: RunStore,
    *,
    again: bool = False,
    ready: Ready | None = None,
    most_seconds: float | None = None,
) -> None:
    """Do a run in this process and write how it goes to the store; safe to call again.

    A run under way is left to whoever does it, or with `again` begun anew: its worker has died.
    Where the job is `ready` it goes on from there. One that was marked meanwhile, since its server
    is gone, is left as it is. After `most_seconds` of measuring it is stopped.
    """
    run = store.glance(run_id)
    if run.state != State.QUEUED and not (again and run.state == State.RUNNING):
        return
    started_at, began, measuring = time.time(), time.monotonic(), None
    store.update(run_id, state=State.RUNNING, started_at=started_at)
    result, outcome = None, {"state": State.DONE, "done": 1.0}
    try:
        spec_class, do = KINDS[run.kind]
        spec = spec_class.from_json(run.spec)
        # Those that know their end are given time to reach it.
        allowed = most_seconds and most_seconds * (1 if spec.seconds is None else 2)
        steps = (ready and ready.take(spec)) or do(spec)
        with pinned(spec.threads):
            for progress in steps:
                if progress.measured is not None:
                    result = progress.measured.to_json()
                    measuring = measuring or time.monotonic()
                now = store.glance(run_id)
                if now.state.final:
                    return
                if now.stop_requested:
                    outcome = {"state": State.STOPPED}
                    break
                if allowed and measuring and time.monotonic() > measuring + allowed:
                    message = f"This server ends a run after {allowed:.0f} s of measuring"
                    outcome = {"state": State.STOPPED, "message": message}
                    break
                store.update(
                    run_id,
                    stage=progress.stage,
                    done=progress.done,
                    seconds_left=progress.seconds_left,
                    result=result,
                )
    except WLMError as error:
        outcome = {"state": State.FAILED, "message": str(error)}
    except MemoryError:
        outcome = {"state": State.FAILED, "message": "There is not enough memory for this run."}
    except Exception:
        logger.error("run %s failed\n%s", run_id, traceback.format_exc())
        outcome = {"state": State.FAILED, "message": f"{defect('This run')}."}
    finished_at = max(started_at, time.time())  # the clock may have stepped back
    store.update(run_id, result=result, seconds_left=None, finished_at=finished_at, **outcome)
    seconds = time.monotonic() - began
    note("run", run.visitor, run=run_id, kind=run.kind, seconds=seconds, outcome=outcome["state"])
