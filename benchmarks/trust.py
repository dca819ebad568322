"""How far to trust a speed-up: the same comparison again and again, in a fresh process each time.

    python -m benchmarks.trust [--repetitions 60] [--variants fp32 int8] [--seconds 6]

Compares int8 with fp32 and counts the intervals that contain the mean of all repetitions. It does
so on a quiet machine, and next to light work: a program that works for 0.2 to 2 s and pauses for
0.5 to 4 s. It also compares fp32 with itself and counts the verdicts "undecided". It
prints the parts of the spread: within groups of rounds, between groups, and between processes
beyond that. `--parts once` makes comparisons that prepare once, as earlier versions did. A
repetition takes about 14 s, so the four parts that run by default take about an hour.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, f

from wlm.measuring.compare import compare
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.machine import describe_machine, pinned
from wlm.paths import ROOT

NEARBY = 3  # processes on each side
WORK_S, PAUSE_S = (0.2, 2.0), (0.5, 4.0)
# Ends with its standard input, however the benchmark ends.
LIGHT_WORK = f"""
import os, random, sys, threading, time

threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
generator = random.Random(1)
while True:
    end = time.perf_counter() + generator.uniform(*{WORK_S})
    while time.perf_counter() < end:
        pass
    time.sleep(generator.uniform(*{PAUSE_S}))
"""


@dataclass(frozen=True)
class Repetition:
    """One comparison in a separate process: the speed-up, the ends of its interval (None if there
    are too few groups), the verdict, and the logarithms of the rounds' ratios by group."""

    value: float
    ends: tuple[float, float] | None
    verdict: str
    logs: list[np.ndarray]

    @classmethod
    def of(cls, content: dict) -> "Repetition":
        """Return what a comparison's JSON says of its second variant."""
        baseline, result = content["results"]
        seconds = ([block["wall_s"] for block in row["blocks"]] for row in (baseline, result))
        above, below = map(np.array, seconds)
        logs = np.split(np.log(above / below), np.cumsum(content["groups"])[:-1])
        ends = result["speedup_ci95"] and tuple(result["speedup_ci95"])
        return cls(result["speedup"], ends, result["verdict"], logs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=60, help="of each part")
    parser.add_argument("--variants", nargs=2, default=["fp32", "int8"])
    parser.add_argument("--seconds", type=float, default=6.0, help="budget, as of the page Compare")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("quiet", "light", "control", "control-light", "once"),
        default=["quiet", "light", "control", "control-light"],
        help="which parts; `once` prepares once, as earlier versions did",
    )
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--save", metavar="FILE", help="also write all comparisons there, as JSON")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.variants, options.seconds, options.once)))
        return

    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, torch {machine['torch']}")
    print(f"load in the last minute {machine['load_1min']}", flush=True)
    kept: dict[str, list[dict]] = {}
    try:
        for part in options.parts:
            control = part.startswith("control")
            variants = [options.variants[0]] * 2 if control else options.variants
            contents = kept.setdefault(part, [])
            with light_work() if part.endswith("light") else nullcontext():
                for i in range(options.repetitions):
                    contents.append(in_fresh_process(variants, options.seconds, part == "once"))
                    result = contents[-1]["results"][1]
                    print(
                        f"{part} {i + 1} of {options.repetitions}: {result['speedup']:.3f}",
                        file=sys.stderr,
                        flush=True,
                    )
            report(part, [Repetition.of(content) for content in contents])
            if options.save:
                Path(options.save).write_text(json.dumps(kept), "utf-8")
    except KeyboardInterrupt:
        sys.exit(130)


def measure(variants: Sequence[str], seconds: float, once: bool) -> dict:
    """Compare two variants as the page Compare does; with `once` everything is prepared once."""
    spec = CompareSpec(variants=tuple(variants), seconds=seconds, target=DEFAULT_TARGET)
    if once:  # as many rounds, in one group
        spec = CompareSpec(variants=tuple(variants))
    with pinned(spec.threads):
        *_, last = compare(spec, rounds_per_group=10**6 if once else None)
    return last.measured.to_json()


def in_fresh_process(variants: Sequence[str], seconds: float, once: bool) -> dict:
    """Return the JSON of a comparison that a new process makes."""
    command = ["benchmarks.trust", "--one", "--seconds", str(seconds), "--variants", *variants]
    process = fresh_process(command + ["--once"] * once, stdout=subprocess.PIPE)
    printed, _ = process.communicate()
    if process.returncode:
        sys.exit(process.returncode)
    return json.loads(printed)


def fresh_process(command: Sequence[str], **streams: int) -> subprocess.Popen:
    """Start a module with its arguments in a new process, and return the process."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *command]
    return subprocess.Popen(command, text=True, env=env, cwd=ROOT, **streams)


@contextmanager
def light_work() -> Iterator[None]:
    """Have another program work now and then, on the CPU that the system chooses."""
    command = [sys.executable, "-c", LIGHT_WORK]
    # Ctrl-C is for the benchmark, which then ends the program.
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


def report(part: str, repetitions: list[Repetition]) -> None:
    """Print how many intervals contain the mean of all, the verdicts, and the components."""
    n, values = len(repetitions), [repetition.value for repetition in repetitions]
    logs = [math.log(value) for value in values]
    mean = math.exp(statistics.mean(logs))
    print(
        f"\n{part}: {n} processes, speed-up {mean:.3f} on average "
        f"({min(values):.3f} to {max(values):.3f}, standard deviation "
        f"{statistics.stdev(logs) if n > 1 else math.nan:.2%})"
    )
    groups = [len(repetition.logs) for repetition in repetitions]
    rounds = [sum(map(len, repetition.logs)) for repetition in repetitions]
    print(f"{min(groups)} to {max(groups)} groups, {min(rounds)} to {max(rounds)} rounds each")
    intervals = [repetition.ends for repetition in repetitions if repetition.ends]
    if n > 1 and len(intervals) == n:
        holding = sum(low <= mean <= high for low, high in intervals)
        widths = [0.5 * math.log(high / low) for low, high in intervals]
        print(
            f"{share(holding, len(intervals))} of the intervals contain the mean of all; "
            f"give or take {math.expm1(statistics.mean(widths)):.1%} on average"
        )
        near = sum(
            low <= math.exp(mean_nearby(logs, i)) <= high for i, (low, high) in enumerate(intervals)
        )
        print(f"{share(near, len(intervals))} contain the mean of the {2 * NEARBY} nearest in time")
    print_verdicts(repetition.verdict for repetition in repetitions)
    if n > 1 and min(groups) > 1:
        print_components(repetitions)
    if n > 2:
        print_drift(np.array(logs))
    print("values:", *(f"{value:.3f}" for value in values), flush=True)


def print_verdicts(verdicts: Iterable[str]) -> None:
    """Print how often each verdict was reached, the most frequent first."""
    counts = Counter(verdicts)
    for name, count in counts.most_common():
        print(f"{name}: {share(count, counts.total())}")


def mean_nearby(logs: list[float], i: int) -> float:
    """Return the mean of the values next to value `i`, without it: NEARBY on each side, fewer at
    the ends. A drift of the machine over minutes moves them together."""
    return statistics.mean(logs[max(0, i - NEARBY) : i] + logs[i + 1 : i + 1 + NEARBY])


def print_components(repetitions: list[Repetition]) -> None:
    """Print the standard deviations within groups, between groups and between processes.

    Each comes from the variance of means, less what the level below explains of it. The F test
    asks whether processes differ by more than their groups do.
    """
    all_groups = [group for repetition in repetitions for group in repetition.logs]
    within = statistics.mean(group.var(ddof=1) for group in all_groups if len(group) > 1)
    rounds = 1 / statistics.mean(1 / len(group) for group in all_groups)
    means = [[group.mean() for group in repetition.logs] for repetition in repetitions]
    of_groups = statistics.mean(np.var(of_one, ddof=1) for of_one in means)
    groups = 1 / statistics.mean(1 / len(of_one) for of_one in means)
    of_processes = statistics.variance([statistics.mean(of_one) for of_one in means])
    ratio = of_processes / (of_groups / groups)
    freedom = len(means) - 1, sum(len(of_one) - 1 for of_one in means)
    for name, variance in (
        ("within groups, a round", within),
        ("between groups", of_groups - within / rounds),
        ("between processes", of_processes - of_groups / groups),
    ):
        sign = "" if variance >= 0 else "none found, variance below 0 by "
        print(f"standard deviation {name}: {sign}{math.sqrt(abs(variance)):.2%}")
    print(
        f"processes against groups: F = {ratio:.2f}, p = {f.sf(ratio, *freedom):.2f} "
        f"({freedom[0]} and {freedom[1]} degrees of freedom)"
    )


def print_drift(logs: np.ndarray) -> None:
    """Print how alike neighbors in time are: a drift of the machine moves neighbors together."""
    change, rest = np.diff(logs), logs - logs.mean()
    print(
        f"neighbors in time: correlation {(rest[1:] * rest[:-1]).sum() / (rest**2).sum():.2f}, "
        f"standard deviation without drift {change.std(ddof=1) / math.sqrt(2):.2%}"
    )


def share(count: int, total: int) -> str:
    """Return a share in words, with its exact 95% interval."""
    ends = binomtest(count, total).proportion_ci()
    return f"{count} of {total} (95% interval {ends.low:.0%} to {ends.high:.0%})"


if __name__ == "__main__":
    main()
