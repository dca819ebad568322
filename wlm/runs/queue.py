"""One queue of runs, done one after the other by a worker process or side by side by a cluster.

What is timed never runs in the server: PyTorch's thread count is shared by a whole process. The
worker is `python -m wlm worker`, told run ids as lines on its standard input. However the server
ends, that pipe closes, and the worker exits at once. Where WLM_DASK names a cluster, its workers
take the place of that process: see `wlm.runs.cluster`.
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
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wlm.errors import JobError, StoreError, WLMError
from wlm.inspecting.times import InspectSpec, inspect
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import pinned
from wlm.measuring.sweep import PREPARATION_SECONDS, SweepSpec, missing_points
from wlm.memory import give_back
from wlm.runs.store import Run, RunStore, State, new_id, this_server

logger = logging.getLogger(__name__)

ROOT = str(Path(__file__).resolve().parents[2])
MOST_WAITING = 50
MAX_STARTS = 2  # workers that may die before they reach a waiting run
# What a worker can do, by a run's kind: the class of its settings and the job, which yields
# `Progress`. Settings have `kind`, `threads`, `to_json` and `from_json`.
KINDS = {
    CompareSpec.kind: (CompareSpec, compare),
    InspectSpec.kind: (InspectSpec, inspect),
}


def open_queue(store: RunStore) -> "JobQueue":
    """Return a queue with a worker process here or, where WLM_DASK names one, with a Dask cluster.

    Raises JobError where the package `distributed` is missing.
    """
    if address := os.environ.get("WLM_DASK"):
        from wlm.runs.cluster import ClusterQueue

        return ClusterQueue(store, address)
    return JobQueue(store)


class JobQueue:
    """Runs handed to a worker process, which is started when needed and replaced when it dies."""

    def __init__(self, store: RunStore):
        self.store = store
        self._server = this_server()
        self._lock = threading.RLock()
        self._worker: subprocess.Popen | None = None
        # Groups of runs not seen to be final: how many workers died before they reached any.
        self._unfinished: dict[tuple[str, ...], int] = {}
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
        self._check_room(visitor)
        run = Run(spec.kind, spec.to_json(), server=self._server, visitor=visitor)
        self._queue([run])
        return run.id

    def submit_sweep(self, spec: SweepSpec, visitor: str = "") -> str:
        """Queue a sweep's points, which take turns with other visitors' runs, and return the
        sweep's id. Raises as `submit`: a visitor's sweep counts as one run, waiting until its last
        point has begun."""
        self._check_room(visitor)
        self.start()
        sweep = Run(spec.kind, spec.to_json(), state=State.DONE, visitor=visitor)
        self.store.create(sweep)
        self.resume_sweep(sweep.id, visitor)
        return sweep.id

    def resume_sweep(self, sweep_id: str, visitor: str = "") -> None:
        """Queue those points of a sweep again that are neither done nor on their way. Raises as
        `submit`."""
        self._check_room(visitor)
        spec = SweepSpec.from_json(self.store.get(sweep_id).spec)
        points = missing_points(spec, self.store.points_of(sweep_id, results=False))
        run = Run(CompareSpec.kind, {}, server=self._server, visitor=visitor, sweep=sweep_id)
        now = time.time()
        self._queue(
            # The clock may be coarse, and the order of points is that of their creation.
            replace(run, id=new_id(), spec=point.to_json(), created_at=now + i * 1e-6)
            for i, point in enumerate(points)
        )

    def _check_room(self, visitor: str) -> None:
        waiting = [each for each in self._ours() if each.state == State.QUEUED]
        if visitor and any(each.visitor == visitor for each in waiting):
            raise JobError(
                "you have a run or a sweep waiting already: stop it, or wait until it has begun"
            )
        if len({each.sweep or each.id for each in waiting}) >= MOST_WAITING:
            raise JobError(f"{MOST_WAITING} runs are waiting, the most there may be: try later")

    def _queue(self, runs: Iterable[Run]) -> None:
        """Store new runs and have them done in this order."""
        self.start()
        runs = list(runs)
        for run in runs:
            self.store.create(run)
        if runs:
            self._hand_over([run.id for run in runs])

    def stop(self, run_id: str) -> None:
        """Ask for a run to end; it keeps what it has measured. Raises StoreError."""
        self.store.update(run_id, stop_requested=True)

    def stop_sweep(self, sweep_id: str) -> None:
        """Ask for all points of a sweep to end. Raises StoreError."""
        for run in self.store.points_of(sweep_id, results=False):
            if not run.state.final:
                self.stop(run.id)

    def ahead_of(self, run_id: str) -> tuple[int, float | None]:
        """Return how many runs come before a queued one, and in how many seconds they will be
        done; None where one of them reads its text to the end, however long that takes."""
        runs = in_turn(self._ours())
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

    def _hand_over(self, run_ids: Sequence[str], starts: int = 0) -> None:
        """Give runs to the worker as one group: it takes one of each group in turn."""
        with self._lock:
            groups = self._unfinished.items()
            kept = {ids: n for ids, n in groups if not all(map(self._is_final, ids))}
            self._unfinished = {**kept, tuple(run_ids): starts}
            self.start()
            try:
                self._worker.stdin.write(" ".join(run_ids) + "\n")
                self._worker.stdin.flush()
            except OSError:
                pass  # it has just died: _watch takes care of its runs, this one included

    def _is_final(self, run_id: str) -> bool:
        state = self._state(run_id)
        return state is None or state.final

    def _state(self, run_id: str) -> State | None:
        """Where a run stands; None for one that was deleted."""
        try:
            return self.store.glance(run_id).state
        except StoreError:
            return None

    def _fail(self, run_id: str, message: str) -> None:
        self.store.update(run_id, state=State.FAILED, message=message, finished_at=time.time())

    def _watch(self, worker: subprocess.Popen) -> None:
        """Wait for a worker's end; fail the run that it was at and pass the waiting ones on."""
        code = worker.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        message = (
            f"The worker process ended unexpectedly ({how}). What was measured until then is kept; "
            "the next run starts a new worker."
        )
        with self._lock:
            groups, self._unfinished = self._unfinished, {}
            states = {run_id: self._state(run_id) for ids in groups for run_id in ids}
            running = [run_id for run_id, state in states.items() if state == State.RUNNING]
            for run_id in running:
                self._fail(run_id, message)
            for ids, starts in groups.items():
                waiting = [run_id for run_id in ids if states[run_id] == State.QUEUED]
                starts += not running  # a worker that was at a run had no trouble starting
                if waiting and starts < MAX_STARTS and not self._closed:
                    self._hand_over(waiting, starts)
                else:
                    for run_id in waiting:
                        self._fail(run_id, message)


def in_turn(runs: list[Run]) -> list[Run]:
    """Put unfinished runs, oldest first, in the order in which one worker does them: what runs,
    then the first of each sweep and the single runs, then the second of each sweep, and so on."""
    places: dict[str, int] = {}
    keys = {}
    for run in runs:
        group = run.sweep or run.id
        keys[run.id] = places[group] = places.get(group, -1) + (run.state == State.QUEUED)
    return sorted(runs, key=lambda run: (run.state != State.RUNNING, keys[run.id]))


def _seconds_left(run: Run) -> float | None:
    if run.seconds_left is not None:
        return run.seconds_left
    limit = run.spec.get("seconds")
    return None if limit is None else limit + PREPARATION_SECONDS


def execute(run_id: str, store: RunStore, *, again: bool = False) -> None:
    """Do a run in this process and write how it goes to the store; safe to call again.

    A run under way is left to whoever does it, or with `again` begun anew: its worker has died.
    """
    run = store.glance(run_id)
    if run.state != State.QUEUED and not (again and run.state == State.RUNNING):
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
                if store.glance(run_id).stop_requested:
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
    """Do the runs whose ids come in as lines; end the process when the lines end.

    A line is a group of runs, such as a sweep: after each of them the other lines have their turn.
    """
    waiting: queue.Queue[list[str]] = queue.Queue()

    def read() -> None:
        for line in lines:
            waiting.put(line.split())
        os._exit(0)  # the server is gone: nobody waits for the run under way

    threading.Thread(target=read, daemon=True).start()
    store = RunStore(spill_url=os.environ.get("WLM_SPILL_URL"))
    while True:
        run_id, *others = waiting.get()
        execute(run_id, store)
        give_back()  # models and texts of the run, until the next one
        if others:
            waiting.put(others)
