"""The queue of runs with one worker process on this machine, and the loop of that process.

If the server ends, the worker's standard input closes, and the worker exits at once.
"""

import json
import logging
import os
import queue
import threading
import time
from collections.abc import Iterable, Sequence

from wlm.errors import JobError, SettingError, StoreAwayError, StoreError
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.memory import give_back
from wlm.runs.execute import KINDS, execute
from wlm.runs.heartbeat import BEAT_SECONDS, Heartbeat, Watch, worker_of
from wlm.runs.limits import check_limits, most_seconds
from wlm.runs.prefetch import Prefetch
from wlm.runs.queue import JobQueue
from wlm.runs.run import State
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore
from wlm.runs.worker_process import WorkerProcess

WAIT_SECONDS = 1.0
PATIENCE = 60.0  # seconds for which the worker waits for a database server that is away
MAX_STARTS = 2  # workers that may die before they reach a waiting run
PREFETCH_SECONDS = 300.0  # how long a prefetched job is kept if nobody asks for it

logger = logging.getLogger(__name__)


def open_queue(store: RunStore) -> JobQueue:
    """Return a queue with a worker process on this machine or, if WLM_DASK names a Dask cluster,
    a queue with that cluster.

    Raises JobError if the cluster needs the package `distributed` and it is missing.
    """
    if address := os.environ.get("WLM_DASK"):
        from wlm.runs.cluster import ClusterQueue

        return ClusterQueue(store, address)
    return WorkerQueue(store)


class WorkerQueue(JobQueue):
    """Hands runs to a worker process, which is started when needed and replaced when it dies."""

    def __init__(self, store: RunStore):
        super().__init__(store)
        self._worker: WorkerProcess | None = None
        # Groups of runs not seen to be final: how many workers died before they reached any.
        self._unfinished: dict[tuple[str, ...], int] = {}
        self._prefetched = ("", 0.0)  # the job that the worker should prefetch, and since when

    def _start(self) -> None:
        if self._is_alive():
            return
        urls = {"WLM_DATABASE_URL": self.store.url, "WLM_SPILL_URL": self.store.spill_url}
        worker = WorkerProcess({**urls, "WLM_WORKER": worker_of(self._server)})
        worker.watch(self._watch, self._watch_heartbeat)
        self._worker, self._prefetched = worker, ("", 0.0)

    def prefetch(self, spec: CompareSpec | InspectSpec) -> None:
        """Tell the worker, unless just told, to begin a job while it has nothing else to do."""
        if spec.threads > 1:
            return  # threads keep to CPUs that are chosen when the run begins
        try:
            check_limits(spec, "")
        except SettingError:
            return
        line = json.dumps({"kind": spec.kind, "spec": spec.to_json()})
        with self._lock:
            told, at = self._prefetched
            if told == line and time.monotonic() - at < PREFETCH_SECONDS / 2:
                return
            if self._is_alive():
                self._prefetched = line, time.monotonic()
                self._worker.suggest(line)

    def worker(self) -> tuple[bool, str]:
        """Return whether the worker is available, and a sentence about its work. Replace the worker
        if it has ended."""
        with self._lock:
            alive = self._is_alive()
            try:
                self.start()
            except JobError as error:
                return False, f"No worker: {error}."
        return alive, f"Worker: {self._line()}." if alive else "The worker is being started again."

    def _is_alive(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _end(self) -> None:
        """End the worker at once, whatever it is doing."""
        with self._lock:
            if self._worker is not None:
                self._worker.kill()
                self._worker.wait()

    def _hand_over(self, run_ids: Sequence[str], starts: int = 0) -> None:
        """Give runs to the worker as one group: it takes one run from each group in turn."""
        with self._lock:
            groups = self._unfinished.items()
            kept = {ids: n for ids, n in groups if not all(map(self._is_final, ids))}
            self.start()
            self._unfinished = {**kept, tuple(run_ids): starts}
            self._prefetched = ("", 0.0)  # a run takes it
            self._worker.send(" ".join(run_ids))

    def _watch_heartbeat(self, worker: WorkerProcess) -> None:
        """End a worker that hangs: `_watch` takes care of its runs."""
        watch = Watch(worker_of(self._server), self.store)
        while not worker.ended.wait(BEAT_SECONDS):
            try:
                if watch.has_stopped():
                    logger.error("the worker process gives no sign of life: it is ended")
                    worker.kill()
            except Exception:
                logger.exception("the worker's heartbeat cannot be read")

    def _watch(self, worker: WorkerProcess) -> None:
        """Wait for a worker's end; fail the run that it was doing, and pass the waiting runs on."""
        message = (
            f"The worker process ended unexpectedly ({worker.wait()}). What was measured until "
            "then is kept; the next run starts a new worker."
        )
        while not self._closed and self.store.is_away():
            time.sleep(WAIT_SECONDS)
        with self._lock:
            if self._closed:
                return  # the thread that closes the queue marks its runs
            groups, self._unfinished = self._unfinished, {}
        try:
            lost = self._pass_on(groups, message)
        except Exception:
            logger.exception("the runs of a worker that ended cannot be handed over")
            lost = {run_id: message for ids in groups for run_id in ids}
        self._fail_all(lost)

    def _pass_on(self, groups: dict[tuple[str, ...], int], message: str) -> dict[str, str]:
        """Hand the waiting runs of a worker that has ended to a new worker; return the other
        unfinished runs, each with the reason why it fails."""
        with self._lock:
            states = {run_id: self._state(run_id) for ids in groups for run_id in ids}
            lost = {run_id: message for run_id, state in states.items() if state == State.RUNNING}
            # A worker that was doing a run had no trouble starting.
            more = 0 if lost else 1
            for ids, starts in groups.items():
                waiting = [run_id for run_id in ids if states[run_id] == State.QUEUED]
                if not waiting:
                    continue
                reason = message
                if starts + more < MAX_STARTS:
                    try:
                        self._hand_over(waiting, starts + more)
                        continue
                    except JobError as error:
                        reason = f"This run could not be started: {error}."
                lost |= dict.fromkeys(waiting, reason)
        return lost

    def _fail_all(self, reasons: dict[str, str]) -> None:
        """Fail runs, and wait for the store if need be, unless the queue is closed."""
        left = dict(reasons)
        while left and not self._closed:
            for run_id, reason in list(left.items()):
                try:
                    if not self._is_final(run_id):
                        self._fail(run_id, reason)
                    del left[run_id]
                except Exception:
                    logger.exception("run %s cannot be marked as failed now", run_id)
            if left:
                time.sleep(WAIT_SECONDS)


def work(lines: Iterable[str]) -> None:
    """Do the runs whose ids arrive as lines; end the process when the lines end.

    A line is a group of runs, such as a sweep: after each run the other lines have their turn. Or a
    line is a job as JSON, to be prefetched while there is nothing else to do.
    """
    waiting: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in lines:
            waiting.put(line.strip())
        os._exit(0)  # the server is gone: nobody waits for the run under way

    threading.Thread(target=read, daemon=True).start()
    spill_url = os.environ.get("WLM_SPILL_URL")
    store = RunStore(spill_url=spill_url, patience=PATIENCE)
    name = os.environ.get("WLM_WORKER") or worker_of(this_server())
    heartbeat = Heartbeat(name, RunStore(spill_url=spill_url))
    heartbeat.start()
    prefetched = Prefetch()
    while True:
        heartbeat.rest()
        try:
            line = waiting.get(timeout=PREFETCH_SECONDS)
        except queue.Empty:
            prefetched.drop()
            give_back()
            continue
        heartbeat.step()
        if line.startswith("{"):
            job = json.loads(line)
            spec_class, do = KINDS[job["kind"]]
            prefetched.make(spec_class.from_json(job["spec"]), do, waiting.empty)
            continue
        run_id, *others = line.split()
        try:
            execute(
                run_id,
                store,
                prefetched=prefetched,
                most_seconds=most_seconds(),
                on_step=heartbeat.step,
            )
        except StoreError as error:
            if store.warning or isinstance(error, StoreAwayError):
                raise  # this process ends, and the server marks the run
            logger.error("run %s was deleted: %s", run_id, error)
        give_back()  # models and texts of the run, until the next one
        if others:
            waiting.put(" ".join(others))
