"""One queue of runs, done one after the other by a worker process.

What is timed never runs in the server: PyTorch's thread count is shared by a whole process. The
worker is `python -m wlm worker`, told run ids as lines on its standard input. However the server
ends, that pipe closes, and the worker exits at once.
"""

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from wlm.compare import CompareSpec, compare
from wlm.errors import JobError, WLMError
from wlm.machine import pinned
from wlm.module_times import InspectSpec, inspect
from wlm.runs import Run, RunStore, State, this_server

logger = logging.getLogger(__name__)

ROOT = str(Path(__file__).resolve().parent.parent)
PREPARATION_SECONDS = 3.0  # about what loading and warming up take
MOST_WAITING = 50
MAX_STARTS = 2  # workers that may die before they reach a waiting run
# What a worker can do, by a run's kind: the class of its settings and the job, which yields
# `Progress`. Settings have `kind`, `threads`, `to_json` and `from_json`.
KINDS = {
    CompareSpec.kind: (CompareSpec, compare),
    InspectSpec.kind: (InspectSpec, inspect),
}


class JobQueue:
    """Runs handed to a worker process, which is started when needed and replaced when it dies."""

    def __init__(self, store: RunStore):
        self.store = store
        self._server = this_server()
        self._lock = threading.RLock()
        self._worker: subprocess.Popen | None = None
        self._unfinished: dict[str, int] = {}  # runs not seen to be final: workers given them
        self._closed = False

    def start(self) -> None:
        """Start the worker unless it runs, so that the first run need not wait for it."""
        with self._lock:
            if self._closed:
                raise JobError("the queue of runs is closed: the server is stopping")
            if self._worker is not None and self._worker.poll() is None:
                return
            env = {
                **os.environ,
                # In the environment, not in arguments, which every user of a machine can read.
                "WLM_DATABASE_URL": self.store.url,
                "WLM_SPILL_URL": self.store.spill_url,
                "PYTHONPATH": os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")])),
            }
            try:
                worker = subprocess.Popen(
                    [sys.executable, "-m", "wlm", "worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    text=True,
                    env=env,
                    start_new_session=True,  # Ctrl-C in a terminal is the server's business
                )
            except OSError as error:
                raise JobError(f"the worker process cannot be started: {error}") from None
            self._worker = worker
            threading.Thread(target=self._watch, args=(worker,), daemon=True).start()

    def submit(self, spec: CompareSpec | InspectSpec, visitor: str = "") -> str:
        """Queue a job and return its run's id.

        Raises JobError where the named visitor already has a run waiting, or the queue is full,
        and StoreError.
        """
        run = Run(spec.kind, spec.to_json(), server=self._server, visitor=visitor)
        waiting = [each for each in self._ours() if each.state == State.QUEUED]
        if visitor and any(each.visitor == visitor for each in waiting):
            raise JobError("you have a run waiting already: stop it, or wait until it has begun")
        if len(waiting) >= MOST_WAITING:
            raise JobError(f"{MOST_WAITING} runs are waiting, the most there may be: try later")
        self.start()
        self.store.create(run)
        self._hand_over(run.id)
        return run.id

    def stop(self, run_id: str) -> None:
        """Ask for a run to end; it keeps what it has measured. Raises StoreError."""
        self.store.update(run_id, stop_requested=True)

    def ahead_of(self, run_id: str) -> tuple[int, float | None]:
        """Return how many runs come before a queued one, and in how many seconds they will be
        done; None where one of them reads its text to the end, however long that takes."""
        runs = self._ours()
        ids = [run.id for run in runs]
        ahead = runs[: ids.index(run_id)] if run_id in ids else []
        seconds = [_seconds_left(run) for run in ahead]
        return len(ahead), None if None in seconds else sum(seconds)

    def _ours(self) -> list[Run]:
        """This server's unfinished runs, oldest first."""
        return [run for run in self.store.unfinished() if run.server == self._server]

    def close(self) -> None:
        """End the worker, at once and whatever it does."""
        with self._lock:
            self._closed = True
            if self._worker is not None:
                self._worker.kill()
                self._worker.wait()

    def _hand_over(self, run_id: str) -> None:
        with self._lock:
            starts = self._unfinished.get(run_id, 0) + 1
            unfinished = {id: n for id, n in self._unfinished.items() if not self._is_final(id)}
            self._unfinished = {**unfinished, run_id: starts}
            self.start()
            try:
                self._worker.stdin.write(f"{run_id}\n")
                self._worker.stdin.flush()
            except OSError:
                pass  # it has just died: _watch takes care of its runs, this one included

    def _is_final(self, run_id: str) -> bool:
        return self.store.get(run_id).state.final

    def _watch(self, worker: subprocess.Popen) -> None:
        """Wait for a worker's end; fail the run that it was at and pass the waiting ones on."""
        code = worker.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        with self._lock:
            for run_id, starts in list(self._unfinished.items()):
                state = self.store.get(run_id).state
                if state == State.QUEUED and starts < MAX_STARTS and not self._closed:
                    self._hand_over(run_id)
                elif not state.final:
                    self.store.update(
                        run_id,
                        state=State.FAILED,
                        message=f"The worker process ended unexpectedly ({how}). What was measured "
                        "until then is kept; the next run starts a new worker.",
                        finished_at=time.time(),
                    )


def _seconds_left(run: Run) -> float | None:
    if run.seconds_left is not None:
        return run.seconds_left
    limit = run.spec.get("seconds")
    return None if limit is None else limit + PREPARATION_SECONDS


def execute(run_id: str, store: RunStore) -> None:
    """Do a run in this process and write how it goes to the store; safe to call again."""
    run = store.get(run_id)
    if run.state != State.QUEUED:
        return
    store.update(run_id, state=State.RUNNING, started_at=time.time())
    result, outcome = None, {"state": State.DONE, "done": 1.0}
    try:
        spec_class, do = KINDS[run.kind]
        spec = spec_class.from_json(run.spec)
        with pinned(spec.threads):
            for progress in do(spec):
                if progress.measured is not None:
                    result = progress.measured.to_json()
                if store.get(run_id).stop_requested:
                    outcome = {"state": State.STOPPED}
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
        message = "This run met a defect of wlm; the server's log has the details."
        outcome = {"state": State.FAILED, "message": message}
    store.update(run_id, result=result, seconds_left=None, finished_at=time.time(), **outcome)


def work(lines: Iterable[str]) -> None:
    """Do the runs whose ids come in as lines, in order; end the process when the lines end."""
    waiting: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in lines:
            waiting.put(line.strip())
        os._exit(0)  # the server is gone: nobody waits for the run under way

    threading.Thread(target=read, daemon=True).start()
    store = RunStore(spill_url=os.environ.get("WLM_SPILL_URL"))
    while True:
        execute(waiting.get(), store)
