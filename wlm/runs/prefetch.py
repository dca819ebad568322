"""A job begun before a visitor presses Run, so that it then measures at once."""

from collections.abc import Callable, Iterator
from itertools import chain

from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.progress import Progress

BEFORE = ("Loading", "Preparing")  # stages that no timing depends on


class Prefetch:
    """At most one job, under way up to its first measurement, with its memory."""

    def __init__(self):
        self._spec: CompareSpec | InspectSpec | None = None
        self._steps: Iterator[Progress] | None = None
        self._last: Progress | None = None

    def make(
        self,
        spec: CompareSpec | InspectSpec,
        do: Callable[..., Iterator[Progress]],
        go_on: Callable[[], bool],
    ) -> None:
        """Begin a job, unless it has begun, and do its steps while `go_on`. If the job fails,
        forget it: the run that needs the job reports the reason."""
        if spec != self._spec:
            self.drop()
            self._spec, self._steps = spec, do(spec)
        try:
            while go_on() and (self._last is None or self._last.stage.startswith(BEFORE)):
                self._last = next(self._steps)
        except Exception:
            self.drop()

    def take(self, spec: CompareSpec | InspectSpec) -> Iterator[Progress] | None:
        """Return the remaining steps of a job that has begun, including the latest, or None. In
        either case no job is kept afterward."""
        begun = spec == self._spec
        steps, last = self._steps, self._last
        self.drop()
        if not begun:
            return None
        return steps if last is None else chain([last], steps)

    def drop(self) -> None:
        """Forget the job, if there is one, and free its memory."""
        self._spec = self._steps = self._last = None
