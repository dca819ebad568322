"""The queue of runs, as pages see it: the same for a worker and for a cluster.

Measurements never run in the server: PyTorch's thread count is shared by a whole process. A worker
process does the runs one after the other, or a cluster does them in parallel.
"""

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wlm.errors import JobError, StoreAwayError, StoreError
from wlm.events import note
from wlm.hosting import hosting
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.execute import KINDS
from wlm.runs.heartbeat import worker_of
from wlm.runs.limits import Allowance, check_limits
from wlm.runs.recent import RecentRuns
from wlm.runs.run import Run, State, new_id
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore
from wlm.runs.sweep_points import missing_points

MOST_WAITING = 50


class JobQueue(ABC):
    """Stores runs and hands them to a worker or cluster; `recent` has the runs that pages show."""

    def __init__(self, store: RunStore):
        self.store, self.recent = store, RecentRuns(store)
        self.allowance = Allowance()
        self._server = this_server()
        self._lock = threading.RLock()
        self._closed = False

    def start(self) -> None:
        """Start the worker or connect to the cluster, unless that is done, so that the first run
        need not wait. Raises JobError."""
        with self._lock:
            if self._closed:
                raise JobError("the queue of runs is closed: the server is stopping")
            self._start()

    @abstractmethod
    def _start(self) -> None:
        """Start the worker or connect to the cluster, unless that is done. Raises JobError."""

    def prefetch(self, spec: CompareSpec | InspectSpec) -> None:
        """Begin a job that may be submitted soon, if possible, so that it then measures at once."""
        return

    def close(self) -> None:
        """End at once: start no more runs, and mark this server's runs as interrupted."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._end()
        with contextlib.suppress(StoreError):  # otherwise the next server finds them
            self.store.interrupt(self._ours(self.store.unfinished()))
            for name in (self._server, worker_of(self._server)):
                self.store.forget_server(name)

    @abstractmethod
    def _end(self) -> None:
        """End the worker, or leave the cluster."""

    @abstractmethod
    def worker(self) -> tuple[bool, str]:
        """Return whether the worker or cluster is available, and a sentence about its work."""

    @abstractmethod
    def _hand_over(self, run_ids: Sequence[str]) -> None:
        """Hand over a group of runs, such as a sweep's points. Groups take turns."""

    def submit(self, spec: CompareSpec | InspectSpec, visitor: str = "") -> str:
        """Queue a job and return its run's id.

        Raises JobError if the named visitor already has a run waiting, or has started too many, or
        the queue is full; SettingError if the settings exceed this server's limits; and
        StoreError.
        """
        with self._lock:
            self._check([spec], visitor)
            run = Run(spec.kind, spec.to_json(), server=self._server, visitor=visitor)
            self._queue([run])
        return run.id

    def submit_sweep(self, spec: SweepSpec, visitor: str = "") -> str:
        """Queue a sweep's points, which take turns with other visitors' runs, and return the
        sweep's id. Raises as `submit` does: a visitor's sweep counts as one run, which waits until
        its last point has begun."""
        points = spec.points()
        with self._lock:
            self._check(points, visitor)
            self.start()
            sweep = Run(spec.kind, spec.to_json(), state=State.DONE, visitor=visitor)
            self.store.create(sweep)
            self.resume_sweep(sweep.id, visitor)
        return sweep.id

    def resume_sweep(self, sweep_id: str, visitor: str = "") -> None:
        """Queue the points of a sweep again that are not done, waiting or running. Raises as
        `submit` does."""
        spec = SweepSpec.from_json(self.store.get(sweep_id).spec)
        with self._lock:
            earlier = self.store.points_of(sweep_id)
            points = missing_points(spec, earlier)
            self._check(points, visitor)
            run = Run(CompareSpec.kind, {}, server=self._server, visitor=visitor, sweep=sweep_id)
            # Points have the order in which they were made; the clock may be coarse or step back.
            now = max([time.time(), *(run.created_at + 1e-6 for run in earlier)])
            self._queue(
                replace(run, id=new_id(), spec=point.to_json(), created_at=now + i * 1e-6)
                for i, point in enumerate(points)
            )

    def _check(self, specs: Sequence[CompareSpec | InspectSpec], visitor: str) -> None:
        """Raise an error, as `submit` does, unless a visitor may start these runs now."""
        for spec in specs:
            check_limits(spec, visitor)
        ours = self._ours(self.store.unfinished())
        waiting = [run for run in ours if run.state == State.QUEUED]
        if visitor and any(run.visitor == visitor for run in waiting):
            raise JobError(
                "you have a run or a sweep waiting already: stop it, or wait until it has begun"
            )
        if self.allowance.neighbors(run.visitor for run in waiting) >= MOST_WAITING // 2:
            raise JobError(
                f"{MOST_WAITING // 2} visitors of your network have runs waiting, the most there "
                "may be: try later"
            )
        if len({run.sweep or run.id for run in waiting}) >= MOST_WAITING:
            raise JobError(f"{MOST_WAITING} runs are waiting, the most there may be: try later")
        self.allowance.check(visitor, len(specs))

    def _queue(self, runs: Iterable[Run]) -> None:
        """Store new runs, which then count for their visitor, and hand them over in this order.
        Raises JobError if there is no worker for them; then no run is left waiting."""
        self.start()
        runs = list(runs)
        for run in runs:
            self.store.create(run)
            self.allowance.take(run.visitor)
            note("queued", run.visitor, run=run.id, kind=run.kind)
        self.recent.forget()
        if not runs:
            return
        try:
            self._hand_over([run.id for run in runs])
        except JobError as error:
            for run in runs:
                self._fail(run.id, f"This run could not be started: {error}.")
            raise

    def stop(self, run_id: str, visitor: str = "") -> None:
        """Ask a run to end; the run keeps its measurements.

        Raises StoreError, and JobError if the server is public and the run is another visitor's.
        """
        if not self.may_stop(self.store.glance(run_id), visitor):
            raise JobError(f"run {run_id!r} can be stopped only by the visitor who started it")
        self.store.update(run_id, stop_requested=True)
        self.recent.forget()

    def stop_sweep(self, sweep_id: str, visitor: str = "") -> None:
        """Ask all points of a sweep to end. Raises as `stop` does."""
        for run in self.store.points_of(sweep_id):
            if not run.state.final:
                self.stop(run.id, visitor)

    @staticmethod
    def may_stop(run: Run, visitor: str) -> bool:
        """Tell whether a visitor may stop a run: on a public server, only the visitor's own."""
        return run.visitor == visitor or not hosting().public

    def add_imported(self, run: Run) -> None:
        """Store a run that a visitor imports. Raises SettingError if visitors may not import, and
        StoreError if there are too many imported runs."""
        hosting().check_allowed("importing")
        self.store.add_imported(run)
        self.recent.forget()

    def ahead_of(self, run_id: str) -> tuple[int, float | None]:
        """Return how many runs come before a queued run, and the seconds until they are done: None
        if a run reads its text to the end, however long that takes."""
        runs = in_turn(self._ours(self.recent.unfinished()))
        ids = [run.id for run in runs]
        ahead = runs[: ids.index(run_id)] if run_id in ids else []
        seconds = [_seconds_left(run) for run in ahead]
        return len(ahead), None if None in seconds else sum(seconds)

    def _line(self) -> str:
        """Return in words how many of this server's runs are under way, and how many wait."""
        runs = self._ours(self.recent.unfinished())
        at = sum(run.state == State.RUNNING for run in runs)
        waiting = len(runs) - at
        now = f"{at} under way" if at else "ready"
        return f"{now}, {waiting} waiting" if waiting else now

    def _ours(self, runs: list[Run]) -> list[Run]:
        """Return the runs that this server takes care of."""
        return [run for run in runs if run.server == self._server]

    def _is_final(self, run_id: str) -> bool:
        state = self._state(run_id)
        return state is None or state.final

    def _state(self, run_id: str) -> State | None:
        """Return the state of a run; None if it was deleted."""
        try:
            return self.store.glance(run_id).state
        except StoreAwayError:
            return State.QUEUED  # it is not known to have ended
        except StoreError:
            return None

    def _fail(self, run_id: str, message: str) -> None:
        """Mark a run as failed, unless it was deleted. Raises StoreAwayError."""
        try:
            self.store.update(run_id, state=State.FAILED, message=message, finished_at=time.time())
        except StoreAwayError:
            raise
        except StoreError:
            return
        note("run", run=run_id, outcome=str(State.FAILED))


def in_turn(runs: list[Run]) -> list[Run]:
    """Put unfinished runs, oldest first, in the order in which one worker does them: runs under
    way, then the first of each sweep and the single runs, then the second of each sweep, and so
    on."""
    places: dict[str, int] = {}
    keys = {}
    for run in runs:
        group = run.sweep or run.id
        keys[run.id] = places[group] = places.get(group, -1) + (run.state == State.QUEUED)
    return sorted(runs, key=lambda run: (run.state != State.RUNNING, keys[run.id]))


def _seconds_left(run: Run) -> float | None:
    if run.seconds_left is not None:
        return run.seconds_left
    spec_class, _ = KINDS[run.kind]
    return spec_class.from_json(run.spec).most_seconds
