"""Python callables of any kind, timed as variants of the model are: in rounds and groups."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wlm.errors import SettingError, check_range
from wlm.measuring.evaluate import thread_count
from wlm.measuring.intervals import FEWEST_GROUPS, grouped_ratio_interval, verdict
from wlm.measuring.rounds import rounds_in_groups

BLOCK_SECONDS = 0.1
WARM_UP_CALLS = 2
GROUPS, ROUNDS_PER_GROUP = 8, 2


@dataclass(frozen=True)
class CallableTimes:
    """The measurement of one callable: its name, the mean seconds per call, the speed-up over the
    first callable with the ends of the 95% interval, and the verdict: `faster`, `slower`,
    `undecided`, or `baseline` for the first one."""

    name: str
    seconds: float
    speedup: float
    low: float
    high: float
    verdict: str

    def __str__(self) -> str:
        """Return the measurement in one line."""
        if self.verdict == "baseline":
            return f"{self.name}: {self.seconds:.3g} s a call, the baseline"
        return (
            f"{self.name}: {self.seconds:.3g} s a call, speed-up {self.speedup:.2f} "
            f"({self.low:.2f} to {self.high:.2f}), {self.verdict}"
        )


def compare_callables(
    callables: Mapping[str, Callable[[], Any]],
    *,
    seconds: float = 10.0,
    threads: int = 1,
    seed: int = 1,
    prepare: Callable[[Callable[[], Any]], Callable[[], Any]] = copy.deepcopy,
) -> list[CallableTimes]:
    """Time callables without arguments in turn; the first is the baseline.

    Each is called again and again for about BLOCK_SECONDS of the slowest, in rounds of random
    order. Before each group of rounds `prepare` makes every callable again, in new memory. Its
    default copies a callable object with all that it holds, such as a `functools.partial` of a
    PyTorch module and its input; functions and lambdas have no memory of their own, and stay.
    `seconds` is the budget of measured time over all; at least FEWEST_GROUPS groups are measured.

    Raises SettingError. What a callable raises is passed on.
    """
    check_range("the number of callables", len(callables), 2, 8)
    check_range("seconds", seconds, 0.1, 86_400.0)
    if wrong := [name for name, given in callables.items() if not callable(given)]:
        raise SettingError(
            f"{wrong[0]!r} must be callable, got {type(callables[wrong[0]]).__name__}"
        )
    one_call: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in callables}
    calls, spent, groups = 0, 0.0, []

    def warm_up(name: str, call: Callable[[], Any]) -> None:
        for _ in range(WARM_UP_CALLS):
            one_call[name] = _seconds(call, 1)

    def take(name: str, call: Callable[[], Any]) -> float:
        return _seconds(call, calls)

    def group_length() -> int:
        nonlocal calls
        if not groups:
            block = min(BLOCK_SECONDS, seconds / (GROUPS * ROUNDS_PER_GROUP * len(callables)))
            calls = max(1, round(block / max(one_call.values())))
        groups.append(ROUNDS_PER_GROUP)
        return ROUNDS_PER_GROUP

    with thread_count(threads):
        for step in rounds_in_groups(
            list(callables),
            lambda name: prepare(callables[name]),
            warm_up,
            take,
            group_length,
            seed,
        ):
            for name, taken in step.taken.items():
                times[name].append(taken / calls)
                spent += taken
            if step.is_last and spent >= seconds and len(groups) >= FEWEST_GROUPS:
                break
    results, baseline = [], next(iter(times.values()))
    for name, own in times.items():
        speedup = grouped_ratio_interval(baseline, own, groups)
        words = "baseline" if own is baseline else verdict(speedup)
        mean = sum(own) / len(own)
        results.append(CallableTimes(name, mean, speedup.value, speedup.low, speedup.high, words))
    return results


def _seconds(call: Callable[[], Any], calls: int) -> float:
    """Return the seconds that a number of calls take."""
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return max(time.perf_counter() - started, 1e-9)
