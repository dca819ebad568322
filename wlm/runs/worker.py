"""The queue of runs with one worker process on this machine, and that process's loop.

The worker is `python -m wlm worker`, told run ids as lines on its standard input. However the
server ends, that pipe closes, and the worker exits at once.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence

from wlm.errors import JobError
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.memory import give_back
from wlm.paths import ROOT
from wlm.runs.execute import KINDS, execute
from wlm.runs.limits import most_seconds, within_limits
from wlm.runs.queue import JobQueue
from wlm.runs.ready import Ready
from wlm.runs.run import State
from wlm.runs.store import RunStore

WAIT_SECONDS = 1.0
PATIENCE = 60.0  # seconds for which the worker waits for a database server that is away
MAX_STARTS = 2  # workers that may die before they reach a waiting run
READY_SECONDS = 300.0  # so long a job is kept ready that nobody asks for


class WorkerQueue(JobQueue):
    """Runs handed to a worker process, which is started when needed and replaced when it dies."""

    def __init__(self, store: RunStore):
        super().__init__(store)
        self._worker: subprocess.Popen | None = None
        # Groups of runs not seen to be final: how many workers died before they reached any.
        self._unfinished: dict[tuple[str, ...], int] = {}
        self._told = ("", 0.0)  # which job the worker is to have ready, and since when

    def start(self) -> None:
        """Start the worker unless it runs, so that the first run need not wait for it."""
        with self._lock:
            if self._closed:
                raise JobError("the queue of runs is closed: the server is stopping")
            if self._worker is not None and self._worker.poll() is None:
                return
            path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
            env = {
                **os.environ,
                # In the environment, not in arguments, which every user of a machine can read.
                "WLM_DATABASE_URL": self.store.url,
                "WLM_SPILL_URL": self.store.spill_url,
                "PYTHONPATH": os.pathsep.join(path),
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
            self._worker, self._told = worker, ("", 0.0)
            threading.Thread(target=self._watch, args=(worker,), daemon=True).start()

    def get_ready(self, spec: CompareSpec | InspectSpec) -> None:
        """Have the worker begin a job while it has nothing else to do, unless it was told so a
        moment ago."""
        if spec.threads > 1 or not within_limits(spec):
            return  # threads keep to CPUs that are chosen when it is measured
        line = json.dumps({"kind": spec.kind, "spec": spec.to_json()})
        with self._lock:
            told, at = self._told
            if told == line and time.monotonic() - at < READY_SECONDS / 2:
                return
            if self._worker is not None and self._worker.poll() is None:
                self._told = line, time.monotonic()
                self._write(line)

    def worker(self) -> tuple[bool, str]:
        """Return whether the worker is there, and what it does; one that has ended is replaced."""
        with self._lock:
            alive = self._worker is not None and self._worker.poll() is None
            try:
                self.start()
            except JobError as error:
                return False, f"No worker: {error}."
        return alive, f"Worker: {self._line()}." if alive else "The worker is being started again."

    def _end(self) -> None:
        """End the worker, at once and whatever it does."""
        with self._lock:
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
            self._told = ("", 0.0)  # a run takes it
            self._write(" ".join(run_ids))

    def _write(self, line: str) -> None:
        try:
            self._worker.stdin.write(line + "\n")
            self._worker.stdin.flush()
        except OSError:
            pass  # it has just died: _watch takes care of its runs

    def _watch(self, worker: subprocess.Popen) -> None:
        """Wait for a worker's end; fail the run that it was at and pass the waiting ones on."""
        code = worker.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        message = (
            f"The worker process ended unexpectedly ({how}). What was measured until then is kept; "
            "the next run starts a new worker."
        )
        while self.store.is_away() and not self._closed:
            time.sleep(WAIT_SECONDS)
        if self._closed:
            return  # whoever closes the queue marks its runs
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


def work(lines: Iterable[str]) -> None:
    """Do the runs whose ids come in as lines; end the process when the lines end.

    A line is a group of runs, such as a sweep: after each of them the other lines have their turn.
    Or it is a job as JSON, to be kept ready while nothing else is to be done.
    """
    waiting: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in lines:
            waiting.put(line.strip())
        os._exit(0)  # the server is gone: nobody waits for the run under way

    threading.Thread(target=read, daemon=True).start()
    store = RunStore(spill_url=os.environ.get("WLM_SPILL_URL"), patience=PATIENCE)
    ready = Ready()
    while True:
        try:
            line = waiting.get(timeout=READY_SECONDS)
        except queue.Empty:
            ready.drop()
            give_back()
            continue
        if line.startswith("{"):
            job = json.loads(line)
            spec_class, do = KINDS[job["kind"]]
            ready.make(spec_class.from_json(job["spec"]), do, waiting.empty)
            continue
        run_id, *others = line.split()
        execute(run_id, store, ready=ready, most_seconds=most_seconds())
        give_back()  # models and texts of the run, until the next one
        if others:
            waiting.put(" ".join(others))
