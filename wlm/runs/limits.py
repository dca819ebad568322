"""What a visitor may start on a server with unknown visitors, and when the next run may start."""

import math
import time
from collections.abc import Callable, Iterable

from wlm.catalog.registry import MODEL, TEXT, random_hidden
from wlm.errors import JobError, SettingError, check_range
from wlm.hosting import hosting
from wlm.uploads.store import names_for

HOUR = 3600.0
HINT = "on this server"


def check_limits(spec, visitor: str) -> None:
    """Raise SettingError if a job's settings exceed this server's limits."""
    limits = hosting()
    if not limits.public:
        return
    _check_names(spec, visitor)
    check_range("the number of variants", len(spec.variants), 1, limits.variants, hint=HINT)
    check_range("threads", spec.threads, 1, limits.threads, hint=HINT)
    batch_size = getattr(spec, "batch_size", 1)
    check_range("batch_size", batch_size, 1, limits.batch_size, hint=HINT)
    check_range("bptt * batch_size", spec.bptt * batch_size, 1, limits.chunk, hint=HINT)
    if spec.seconds is not None:  # otherwise the worker ends it, see `execute`
        check_range("seconds", spec.seconds, 0.1, float(limits.seconds), hint=HINT)
    if hidden := random_hidden(spec.model):
        check_range("the hidden size", hidden, 1, limits.hidden, hint=HINT)


def most_seconds() -> float | None:
    """Return the longest time that a run may measure here; None if its own settings decide."""
    return float(hosting().seconds) if hosting().public else None


def _check_names(spec, visitor: str) -> None:
    """Refuse paths and other visitors' uploads: pages offer only names."""
    for kind in (MODEL, TEXT):
        name = getattr(spec, kind, None)  # memory needs no text
        if name is None:
            continue
        known = names_for(visitor, kind)
        if name not in known and not (kind == MODEL and random_hidden(name)):
            raise SettingError(f"the {kind} must be one of {', '.join(known)}, got {name[:80]!r}")
    if spec.vocabulary or spec.corpus:
        raise SettingError("a vocabulary file or a corpus folder is for the command line alone")


class Allowance:
    """The number of runs started within the last hour: by each visitor, from each network address,
    and in total. Its callers hold the lock of the queue.

    `address` returns the visitor's address, or an empty text if it is unknown. Nothing is stored,
    so deleting a run gives nothing back, and nobody can set the clock.
    """

    def __init__(
        self, address: Callable[[], str] = str, clock: Callable[[], float] = time.monotonic
    ):
        self.address, self._clock = address, clock
        self._started: list[tuple[float, str, str]] = []  # when, visitor, address

    def check(self, visitor: str, runs: int = 1) -> None:
        """Raise JobError if the runs may not start now. The error names the time when they may."""
        limits, now, address = hosting(), self._clock(), self.address()
        if not limits.public:
            return
        self._started = [start for start in self._started if start[0] > now - HOUR]
        of_visitor = [at for at, who, _ in self._started if who == visitor]
        of_address = [at for at, _, where in self._started if where == address]
        of_all = [at for at, _, _ in self._started]
        bounds = [
            ("each visitor of this server", limits.runs_per_visitor, of_visitor),
            ("all visitors of one network", limits.runs_per_address, of_address),
            ("all visitors of this server", limits.runs_per_server, of_all),
        ]
        for whose, most, times in bounds if address else [bounds[0], bounds[2]]:
            if runs > most:
                raise JobError(
                    f"{whose} may start {_runs(most)} within an hour, got {runs} at once"
                )
            if (over := len(times) + runs - most) > 0:
                raise JobError(_sentence(whose, most, runs, times[over - 1] + HOUR - now))

    def take(self, visitor: str) -> None:
        """Record that a run starts now."""
        if hosting().public:
            self._started.append((self._clock(), visitor, self.address()))

    def neighbors(self, visitors: Iterable[str]) -> int:
        """Return how many of these visitors started a run within the last hour from the network
        address that asks."""
        address = self.address()
        near = {who for _, who, where in self._started if address and where == address}
        return len(near.intersection(visitors))


def _sentence(whose: str, most: int, runs: int, wait: float) -> str:
    minutes = math.ceil(wait / 60)
    when = "in about a minute" if minutes == 1 else f"in about {minutes} minutes"
    what = "the next may start" if runs == 1 else f"{runs} more may start"
    return f"{whose} may start {_runs(most)} within an hour: {what} {when}"


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"
