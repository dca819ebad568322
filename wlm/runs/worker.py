"""The queue of runs with one worker process on this machine, and that process's loop.

The worker is `python -m wlm worker`, told run ids as lines on its standard input. However the
server ends, that pipe closes, and the worker exits at once.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence

from wlm.errors import JobError
from wlm.memory import give_back
from wlm.places import ROOT
from wlm.runs.execute import execute
from wlm.runs.queue import JobQueue
from wlm.runs.run import State
from wlm.runs.store import RunStore

MAX_STARTS = 2  # workers that may die before they reach a waiting run


class WorkerQueue(JobQueue):
    """Runs handed to a worker process, which is started when needed and replaced when it dies."""

    def __init__(self, store: RunStore):
        super().__init__(store)
        self._worker: subprocess.Popen | None = None
        # Groups of runs not seen to be final: how many workers died before they reached any.
        self._unfinished: dict[tuple[str, ...], int] = {}

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
            self._worker = worker
            threading.Thread(target=self._watch, args=(worker,), daemon=True).start()

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
