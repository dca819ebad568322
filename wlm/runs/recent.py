"""The runs that pages show, read once for all pages."""

import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from wlm.runs.run import Run
from wlm.runs.store import RunStore

FRESH_SECONDS = 0.4  # less than the pause between two looks at a run that a page follows
MOST_RESULTS, MOST_BYTES = 48, 12_000_000  # results that are kept, and their size as JSON


@dataclass(frozen=True)
class _Result:
    """A parsed result; `version` changes with the run's next result."""

    version: tuple
    content: dict | None
    size: int


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
        self._results: OrderedDict[str, _Result] = OrderedDict()

    def get(self, run_id: str) -> Run:
        """Return a run with its result. Raises StoreError if there is no such run."""
        with self._lock:
            return self._with_result(self._fresh(self._glances, run_id, self._store.glance))

    def points_of(self, sweep_id: str) -> list[Run]:
        """Return the runs that belong to a sweep with their results, oldest first."""
        with self._lock:
            runs = self._fresh(self._lists, sweep_id, self._points)
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

    def _points(self, sweep_id: str) -> list[Run]:
        return self._store.points_of(sweep_id, results=False)

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
        known = self._results.pop(run.id, None)
        if known is None or known.version != version:
            content = self._store.get(run.id).result
            known = _Result(version, content, len(json.dumps(content)))
        self._results[run.id] = known
        while len(self._results) > 1 and self._too_much():
            self._results.popitem(last=False)
        return replace(run, result=known.content)

    def _too_much(self) -> bool:
        size = sum(result.size for result in self._results.values())
        return len(self._results) > MOST_RESULTS or size > MOST_BYTES
