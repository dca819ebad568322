"""The queue of runs, as pages see it, whoever does them.

What is timed never runs in the server: PyTorch's thread count is shared by a whole process. Runs
are done one after the other by a worker process, or side by side by a cluster.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wlm.errors import JobError, StoreError
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.execute import KINDS
from wlm.runs.recent import RecentRuns
from wlm.runs.run import Run, State, new_id
from wlm.runs.store import RunStore, this_server
from wlm.runs.sweep_points import missing_points

MOST_WAITING = 50


class JobQueue(ABC):
    """Runs stored, and handed over to whoever does them; `recent` has them as pages show them."""

    def __init__(self, store: RunStore):
        self.store, self.recent = store, RecentRuns(store)
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

    @abstractmethod
    def close(self) -> None:
        """End at once, whatever is under way."""

    @abstractmethod
    def _hand_over(self, run_ids: Sequence[str]) -> None:
        """Have a group of runs done, such as a sweep's: groups take turns."""

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
        earlier = self.store.points_of(sweep_id, results=False)
        run = Run(CompareSpec.kind, {}, server=self._server, visitor=visitor, sweep=sweep_id)
        # The order of points is that of their creation, and the clock may be coarse or step back.
        now = max([time.time(), *(each.created_at + 1e-6 for each in earlier)])
        self._queue(
            replace(run, id=new_id(), spec=point.to_json(), created_at=now + i * 1e-6)
            for i, point in enumerate(missing_points(spec, earlier))
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
        self.recent.forget()
        if runs:
            self._hand_over([run.id for run in runs])

    def stop(self, run_id: str) -> None:
        """Ask for a run to end; it keeps what it has measured. Raises StoreError."""
        self.store.update(run_id, stop_requested=True)
        self.recent.forget()

    def stop_sweep(self, sweep_id: str) -> None:
        """Ask for all points of a sweep to end. Raises StoreError."""
        for run in self.store.points_of(sweep_id, results=False):
            if not run.state.final:
                self.stop(run.id)

    def ahead_of(self, run_id: str) -> tuple[int, float | None]:
        """Return how many runs come before a queued one, and in how many seconds they will be
        done; None where one of them reads its text to the end, however long that takes."""
        runs = in_turn(self._ours(self.recent.unfinished()))
        ids = [run.id for run in runs]
        ahead = runs[: ids.index(run_id)] if run_id in ids else []
        seconds = [_seconds_left(run) for run in ahead]
        return len(ahead), None if None in seconds else sum(seconds)

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
        except StoreError:
            return None

    def _fail(self, run_id: str, message: str) -> None:
        self.store.update(run_id, state=State.FAILED, message=message, finished_at=time.time())


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
