"""The queue of runs on a Dask cluster: the same runs, done by its workers in parallel.

Each worker offers the resource `wlm` once, so that it measures one run at a time, and reaches the
same database of runs. When a worker dies, Dask gives its task to another one, which begins the run
again. A run that no worker can do ends as failed, with the reason.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Sequence

from wlm.errors import JobError, StoreError, first_line
from wlm.runs.database import shown_url
from wlm.runs.execute import execute
from wlm.runs.limits import most_seconds
from wlm.runs.queue import JobQueue
from wlm.runs.store import RunStore

try:
    from distributed import Client, Future
except ImportError:
    Client = None

RESOURCE = {"wlm": 1}
CONNECT_SECONDS = 5.0
WATCH_SECONDS = 1.0
PATIENCE = 60.0  # seconds for which a worker waits for a database server that is away
WITHOUT_WORKERS_SECONDS = 60.0  # how long a cluster may be without workers before runs fail
HOW_TO_START = "dask worker ADDRESS --nthreads 1 --resources wlm=1"

logger = logging.getLogger(__name__)


class ClusterQueue(JobQueue):
    """Runs handed to a Dask cluster.

    Raises JobError if the package `distributed` is missing. `start` and the methods that queue runs
    also raise JobError if no scheduler answers at the address.
    """

    def __init__(self, store: RunStore, address: str):
        if Client is None:
            raise JobError("WLM_DASK needs the package distributed: pip install distributed")
        super().__init__(store)
        self._address = address
        self._client: Client | None = None
        self._futures: dict[str, Future] = {}  # runs not seen to be final

    def _start(self) -> None:
        if self._client is not None and self._client.status == "running":
            return
        try:
            self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise JobError(
                f"WLM_DASK must name a Dask scheduler, and none answers at "
                f"{self._address!r}: {first_line(error)}"
            ) from None
        threading.Thread(target=self._follow, args=(self._client,), daemon=True).start()

    def worker(self) -> tuple[bool, str]:
        """Return whether the cluster has a worker that measures, and a sentence about its work."""
        try:
            self.start()
        except JobError as error:
            return False, f"No cluster: {error}."
        if not _has_worker(self._client):
            return False, f"The cluster has no worker that was started by `{HOW_TO_START}`."
        return True, f"Cluster: {self._line()}."

    def _end(self) -> None:
        """Leave the cluster, which then forgets the waiting runs. Runs under way end when their
        workers see that the runs are marked."""
        with self._lock:
            if self._client is not None:
                self._client.close(timeout=CONNECT_SECONDS)

    def _hand_over(self, run_ids: Sequence[str]) -> None:
        with self._lock:
            self.start()
            for place, run_id in enumerate(run_ids):
                self._futures[run_id] = self._client.submit(
                    run_on_worker,
                    run_id,
                    self.store.url,
                    most_seconds=most_seconds(),
                    key=f"wlm-{run_id}",
                    resources=RESOURCE,
                    # A sweep's later points let other visitors' runs go first.
                    priority=-place,
                    pure=False,
                )

    def _follow(self, client: "Client") -> None:
        """Fail the runs that the cluster cannot do, until the client is closed."""
        self._workers_seen = time.monotonic()
        while not self._closed:
            time.sleep(WATCH_SECONDS)
            try:
                if self._look(client):
                    return
            except Exception:  # such as a store that cannot be reached: try again
                logger.exception("the runs on the cluster cannot be looked at now")

    def _look(self, client: "Client") -> bool:
        """Fail the runs that the cluster cannot do; return whether its scheduler is gone."""
        if self.store.is_away():
            return False  # the state of the runs is unknown
        with self._lock:
            for run_id, future in list(self._futures.items()):
                if self._is_final(run_id):
                    del self._futures[run_id]  # otherwise Dask would do it again for a dead worker
                elif future.status != "pending":
                    self._give_up([run_id], _reason(future))
            if client.status != "running":
                self._give_up(list(self._futures), "its scheduler is gone")
                return True
        if _has_worker(client) or not self._futures:
            self._workers_seen = time.monotonic()
        elif time.monotonic() - self._workers_seen > WITHOUT_WORKERS_SECONDS:
            reason = f"no worker is there that was started by `{HOW_TO_START}`"
            with self._lock:
                self._give_up(list(self._futures), reason)
        return False

    def _give_up(self, run_ids: list[str], reason: str) -> None:
        for run_id in run_ids:
            if not self._is_final(run_id):
                self._fail(run_id, f"The Dask cluster did not do this run: {reason}.")
            self._futures.pop(run_id).release()


def run_on_worker(run_id: str, database_url: str, most_seconds: float | None = None) -> None:
    """Do a run in a worker of the cluster, for at most `most_seconds` of measuring. If another
    worker died during the run, begin the run again.

    Raises JobError if this worker cannot use the server's database: its results would be lost.
    """
    store = _store(os.environ.get("WLM_DATABASE_URL") or database_url)
    if not store.warning:
        try:
            execute(run_id, store, again=True, most_seconds=most_seconds)
        except StoreError as error:
            where = f"a worker reads the database {shown_url(store.url)}, and {error}"
            raise JobError(f"{where}: see WLM_DATABASE_URL") from None
    if store.warning:
        raise JobError(f"a worker cannot use the database. {store.warning}")


_stores: dict[str, RunStore] = {}


def _store(url: str) -> RunStore:
    """Return the store: one, and so one pool of connections, per worker process."""
    if url not in _stores or _stores[url].warning:
        _stores[url] = RunStore(url, patience=PATIENCE)
    return _stores[url]


def _reason(future: "Future") -> str:
    if future.status == "error":
        # The workers' exceptions are ours, or Dask's KilledWorker.
        error = future.exception(timeout=CONNECT_SECONDS)
        return first_line(error).rstrip(".")
    if future.status == "finished":
        return "its workers write to another database than the server's, see WLM_DATABASE_URL"
    return "it has lost the run"


def _has_worker(client: "Client") -> bool:
    """Tell whether there is a worker that measures; True if the scheduler does not tell."""
    with contextlib.suppress(Exception):
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        return any(worker["resources"].get("wlm") for worker in workers)
    return True
