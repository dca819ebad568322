"""The runs that pages show, read once for all pages."""

import json
import threading
import time
from collections import OrderedDict
from dataclasses import replace

from wlm.bounded_cache import BoundedCache
from wlm.runs.run import Run
from wlm.runs.store import RunStore

FRESH_SECONDS = 0.4  # less than the pause between two looks at a run that a page follows
MOST_RESULTS, MOST_BYTES = 48, 12_000_000  # results that are kept, and their size as JSON


class RecentRuns:
    """Runs, at most `FRESH_SECONDS` old; callers must not change them.

    A run's result, which may be large, is read and parsed only after a change. At most
    `MOST_RESULTS` are kept, with `MOST_BYTES` in total: the most recently requested.
    """

    def __init__(self, store: RunStore):
        self._store = store
        self._lock = threading.Lock()  # held while reading, so that others wait for the answer
        self._glances: OrderedDict[str, tuple[float, Run]] = OrderedDict()
        self._lists: OrderedDict[str, tuple[float, list[Run]]] = OrderedDict()  # by sweep
        # By run: a version, which changes with the run's next result, and the parsed result.
        self._results = BoundedCache(MOST_RESULTS, MOST_BYTES, lambda kept: len(json.dumps(kept)))

    def get(self, run_id: str) -> Run:
        """Return a run with its result. Raises StoreError if there is no such run."""
        with self._lock:
            return self._with_result(self._fresh(self._glances, run_id, self._store.glance))

    def points_of(self, sweep_id: str) -> list[Run]:
        """Return the runs that belong to a sweep with their results, oldest first."""
        with self._lock:
            runs = self._fresh(self._lists, sweep_id, self._store.points_of)
            return [self._with_result(run) for run in runs]

    def unfinished(self) -> list[Run]:
        """Return the queued and running runs without their results, oldest first."""
        with self._lock:
            return self._fresh(self._lists, "", lambda _: self._store.unfinished())

    def forget(self) -> None:
        """Forget all runs, so that each is read again: this process has changed some of them."""
        with self._lock:
            self._glances.clear()
            self._lists.clear()

    def _fresh(self, kept: OrderedDict, key: str, read):
        at, found = kept.pop(key, (0.0, None))
        if found is None or time.monotonic() - at > FRESH_SECONDS:
            found = read(key)
            at = time.monotonic()
        kept[key] = at, found
        if len(kept) > MOST_RESULTS:
            kept.popitem(last=False)
        return found

    def _with_result(self, run: Run) -> Run:
        version = (run.state, run.done, run.started_at, run.finished_at)
        known = self._results.find(run.id)
        if known is None or known[0] != version:
            self._results.drop(run.id)
            read = self._store.get
            known = self._results.get(run.id, lambda: (version, read(run.id).result))
        return replace(run, result=known[1])
