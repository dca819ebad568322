"""The queue of runs, as pages see it, whoever does them.

What is timed never runs in the server: PyTorch's thread count is shared by a whole process. Runs
are done one after the other by a worker process, or side by side by a cluster.
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
from wlm.runs.limits import Allowance, check_limits
from wlm.runs.recent import RecentRuns
from wlm.runs.run import Run, State, new_id
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore
from wlm.runs.sweep_points import missing_points

MOST_WAITING = 50


class JobQueue(ABC):
    """Runs stored, and handed over to whoever does them; `recent` has them as pages show them."""

    def __init__(self, store: RunStore):
        self.store, self.recent = store, RecentRuns(store)
        self.allowance = Allowance()
        self._server = this_server()
        self._lock = threading.RLock()
        self._closed = False

    @abstractmethod
    def start(self) -> None:
        """Get ready, unless that is done already, so that the first run need not wait for it.
        Raises JobError."""

    def get_ready(self, spec: CompareSpec | InspectSpec) -> None:
        """Have a job begun that may be submitted soon, where there is a way, so that it measures
        at once then."""
        return

    def close(self) -> None:
        """End at once: nothing new starts, and this server's runs are marked as interrupted."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._end()
        with contextlib.suppress(StoreError):  # else the next server finds them
            self.store.interrupt(self._ours(self.store.unfinished()))
            self.store.forget_server(self._server)

    @abstractmethod
    def _end(self) -> None:
        """End whoever does the runs, or leave them."""

    @abstractmethod
    def worker(self) -> tuple[bool, str]:
        """Return whether whoever does the runs is there, and in a sentence how that is."""

    @abstractmethod
    def _hand_over(self, run_ids: Sequence[str]) -> None:
        """Have a group of runs done, such as a sweep's: groups take turns."""

    def submit(self, spec: CompareSpec | InspectSpec, visitor: str = "") -> str:
        """Queue a job and return its run's id.

        Raises JobError where the named visitor already has a run waiting, or has started too many,
        or the queue is full, SettingError where the settings are beyond what this server allows,
        and StoreError.
        """
        check_limits(spec, visitor)
        with self._lock:
            self._check_room(visitor)
            self.allowance.take(visitor)
            run = Run(spec.kind, spec.to_json(), server=self._server, visitor=visitor)
            self._queue([run])
        return run.id

    def submit_sweep(self, spec: SweepSpec, visitor: str = "") -> str:
        """Queue a sweep's points, which take turns with other visitors' runs, and return the
        sweep's id. Raises as `submit`: a visitor's sweep counts as one run, waiting until its last
        point has begun."""
        points = spec.points()
        for point in points:
            check_limits(point, visitor)
        with self._lock:
            self._check_room(visitor)
            self.allowance.check(visitor, len(points))
            self.start()
            sweep = Run(spec.kind, spec.to_json(), state=State.DONE, visitor=visitor)
            self.store.create(sweep)
            self.resume_sweep(sweep.id, visitor)
        return sweep.id

    def resume_sweep(self, sweep_id: str, visitor: str = "") -> None:
        """Queue those points of a sweep again that are neither done nor on their way. Raises as
        `submit`."""
        spec = SweepSpec.from_json(self.store.get(sweep_id).spec)
        with self._lock:
            self._check_room(visitor)
            earlier = self.store.points_of(sweep_id, results=False)
            points = missing_points(spec, earlier)
            for point in points:
                check_limits(point, visitor)
            self.allowance.take(visitor, len(points))
            run = Run(CompareSpec.kind, {}, server=self._server, visitor=visitor, sweep=sweep_id)
            # Points have the order in which they were made; the clock may be coarse or step back.
            now = max([time.time(), *(each.created_at + 1e-6 for each in earlier)])
            self._queue(
                replace(run, id=new_id(), spec=point.to_json(), created_at=now + i * 1e-6)
                for i, point in enumerate(points)
            )

    def _check_room(self, visitor: str) -> None:
        ours = self._ours(self.store.unfinished())
        waiting = [each for each in ours if each.state == State.QUEUED]
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
            note("queued", run.visitor, run=run.id, kind=run.kind)
        self.recent.forget()
        if runs:
            self._hand_over([run.id for run in runs])

    def stop(self, run_id: str, visitor: str = "") -> None:
        """Ask for a run to end; it keeps what it has measured.

        Raises StoreError, and JobError where strangers come and it is another visitor's.
        """
        if not self.may_stop(self.store.glance(run_id), visitor):
            raise JobError(f"run {run_id!r} can be stopped only by the visitor who started it")
        self.store.update(run_id, stop_requested=True)
        self.recent.forget()

    def stop_sweep(self, sweep_id: str, visitor: str = "") -> None:
        """Ask for all points of a sweep to end. Raises as `stop`."""
        for run in self.store.points_of(sweep_id, results=False):
            if not run.state.final:
                self.stop(run.id, visitor)

    @staticmethod
    def may_stop(run: Run, visitor: str) -> bool:
        """Tell whether a visitor may stop a run: its own alone, where strangers come."""
        return run.visitor == visitor or not hosting().public

    def add_imported(self, run: Run) -> None:
        """Keep a run that a visitor imports. Raises SettingError where visitors may not, and
        StoreError where there are too many."""
        hosting().check_allowed("importing")
        self.store.add_imported(run)
        self.recent.forget()

    def ahead_of(self, run_id: str) -> tuple[int, float | None]:
        """Return how many runs come before a queued one, and in how many seconds they will be
        done; None where one of them reads its text to the end, however long that takes."""
        runs = in_turn(self._ours(self.recent.unfinished()))
        ids = [run.id for run in runs]
        ahead = runs[: ids.index(run_id)] if run_id in ids else []
        seconds = [_seconds_left(run) for run in ahead]
        return len(ahead), None if None in seconds else sum(seconds)

    def _line(self) -> str:
        """How many of this server's runs are under way, and how many wait, in words."""
        runs = self._ours(self.recent.unfinished())
        at = sum(run.state == State.RUNNING for run in runs)
        waiting = len(runs) - at
        now = f"{at} under way" if at else "ready"
        return f"{now}, {waiting} waiting" if waiting else now

    def _ours(self, runs: list[Run]) -> list[Run]:
        """Those of the runs that this server takes care of."""
        return [run for run in runs if run.server == self._server]

    def _is_final(self, run_id: str) -> bool:
        state = self._state(run_id)
        return state is None or state.final

    def _state(self, run_id: str) -> State | None:
        """Where a run stands; None for one that was deleted."""
        try:
            return self.store.glance(run_id).state
        except StoreAwayError:
            return State.QUEUED  # it is not known to have ended
        except StoreError:
            return None

    def _fail(self, run_id: str, message: str) -> None:
        self.store.update(run_id, state=State.FAILED, message=message, finished_at=time.time())
        note("run", run=run_id, outcome=str(State.FAILED))


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
    spec_class, _ = KINDS[run.kind]
    return spec_class.from_json(run.spec).most_seconds
