"""Does a restart change a speed-up by more than preparing again does?

    python -m benchmarks.restarts [--processes 8] [--groups 12] [--batches 1]

Several fresh processes stay open. In each turn, every process measures a group of two rounds, in a
random order. A drift of the machine falls on all of them alike, so what remains between processes
comes from the processes: the layout of the address space, the placement of pages. Prints an
analysis of variance, and how many of the processes' intervals contain the mean of all. Eight
processes take about three minutes and 7 GB of memory; each further batch has as many new ones.
"""

import argparse
import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from scipy.stats import f

from benchmarks.trust import fresh_process, print_verdicts, share
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.intervals import Interval, grouped_ratio_interval, verdict
from wlm.measuring.machine import describe_machine, pinned
from wlm.progress import Progress

ROUNDS = 2  # per group
HOUR = 3600.0  # never used up: standard input ends first
TOKENS = 7000  # given, so that blocks are half a second long


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--groups", type=int, default=12, help="of each process")
    parser.add_argument("--batches", type=int, default=1, help="of processes, one after another")
    parser.add_argument("--variants", nargs=2, default=["fp32", "int8"])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        answer(options.variants)
        return
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, torch {machine['torch']}")
    holding, verdicts = 0, []
    for batch in range(options.batches):
        seconds = measure(options.processes, options.groups, options.variants)
        logs = np.log(seconds).mean(axis=-1)  # (processes, groups, variants)
        speedup = logs[..., 0] - logs[..., 1]
        mean = math.exp(speedup.mean())
        print(f"\nbatch {batch + 1}: {options.processes} processes in turn, speed-up {mean:.3f}")
        print_variances("speed-up", speedup)
        for i, variant in enumerate(options.variants):
            print_variances(f"seconds of {variant}", logs[..., i])
        intervals = [interval_of(process) for process in seconds]
        holding += sum(interval.low <= mean <= interval.high for interval in intervals)
        verdicts += map(verdict, intervals)
    print(f"\n{share(holding, len(verdicts))} of the intervals contain the mean of their batch")
    print_verdicts(verdicts)


def measure(processes: int, groups: int, variants: list[str]) -> np.ndarray:
    """Return seconds (processes, groups, variants, rounds)."""
    command = ["benchmarks.restarts", "--one", "--variants", *variants]
    children = [
        fresh_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(processes)
    ]
    found: list[list[list]] = [[] for _ in children]
    for group in range(groups + 1):  # the first one of each warms up, and is left out
        order = list(range(processes))
        random.Random(group).shuffle(order)
        for i in order:
            children[i].stdin.write("next\n")
            children[i].stdin.flush()
            found[i].append(json.loads(children[i].stdout.readline()))
        print(f"{group} of {groups} groups", file=sys.stderr, flush=True)
    for child in children:
        child.communicate()
    return np.array(found)[:, 1:]


def interval_of(seconds: np.ndarray) -> Interval:
    """Return the speed-up that a process alone would show, from seconds (groups, variants,
    rounds)."""
    baseline, variant = seconds[:, 0], seconds[:, 1]
    return grouped_ratio_interval(baseline.ravel(), variant.ravel(), [ROUNDS] * len(seconds))


def answer(variants: list[str]) -> None:
    """Print the seconds of a group of rounds for each line of standard input."""
    spec = CompareSpec(variants=tuple(variants), seconds=HOUR, tokens=TOKENS)
    with pinned(spec.threads):
        steps = compare(spec, rounds_per_group=ROUNDS)
        for group, _ in enumerate(sys.stdin):
            print(json.dumps(next_group(steps, group)), flush=True)


def next_group(steps: Iterator[Progress], group: int) -> list[list[float]]:
    """Return seconds by variant and round."""
    wanted = slice(group * ROUNDS, (group + 1) * ROUNDS)
    for step in steps:
        if step.measured and len(step.measured.blocks[0]) == wanted.stop:
            return [[block.wall_s for block in row[wanted]] for row in step.measured.blocks]
    raise AssertionError("the comparison ended before its time was up")


def print_variances(name: str, logs: np.ndarray) -> None:
    """Print three standard deviations of logarithms (processes, groups): of a group, and beyond it
    between processes and between turns."""
    processes, groups = logs.shape
    by_process, by_turn = logs.mean(1, keepdims=True), logs.mean(0, keepdims=True)
    rest = logs - by_process - by_turn + logs.mean()
    freedom = (processes - 1) * (groups - 1)
    residual = (rest**2).sum() / freedom
    print(f"{name}: standard deviation of a group {math.sqrt(residual):.2%}")
    for between, means, count in (
        ("processes", by_process, groups),
        ("turns", by_turn, processes),
    ):
        ratio = count * means.var(ddof=1) / residual
        variance = (ratio - 1) * residual / count
        found = f"{math.sqrt(variance):.2%}" if variance > 0 else "none found"
        p = f.sf(ratio, means.size - 1, freedom)
        print(f"  between {between}: {found} (F = {ratio:.2f}, p = {p:.3f})")


if __name__ == "__main__":
    main()
