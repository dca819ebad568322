"""Which queue does the runs: a worker process here, or the cluster that WLM_DASK names."""

import os

from wlm.runs.queue import JobQueue
from wlm.runs.store import RunStore
from wlm.runs.worker import WorkerQueue


def open_queue(store: RunStore) -> JobQueue:
    """Return a queue with a worker process here or, where WLM_DASK names one, with a Dask cluster.

    Raises JobError where the package `distributed` is missing.
    """
    if address := os.environ.get("WLM_DASK"):
        from wlm.runs.cluster import ClusterQueue

        return ClusterQueue(store, address)
    return WorkerQueue(store)
