"""How far to trust a comparison: a program with itself, and ours beside one after the other.

    python -m benchmarks.trust [--runs 10] [--seconds 10] [--aa 40] [--aa-seconds 5]

First fp32 is compared with itself, which has to come out undecided about 95 times in 100. Then
the ratio of int8 to fp32 is measured again and again: by `wlm.measuring.compare`, and as the
tutorial does it, all of a stretch of text with fp32 and then with int8, over as many tokens. Each
run loads and quantizes the model anew, as it would be by whoever wants one number. Both ways take
turns, on a quiet machine and beside a program that keeps the same core busy now and then.
About 15 minutes.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from scipy.stats import binomtest, f

from benchmarks.tutorial_parity import BPTT, VARIANTS, tutorial_evaluate
from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec, Comparison
from wlm.measuring.intervals import Interval
from wlm.measuring.machine import describe_machine
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify

BURST_S, PAUSE_S = (0.2, 2.0), (0.5, 4.0)
# Ends with its standard input, however this program ends.
SPINNER = f"""
import os, random, sys, threading, time

core, seed = map(int, sys.argv[1:])
if core >= 0:
    os.sched_setaffinity(0, {{core}})
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
generator = random.Random(seed)
while True:
    end = time.perf_counter() + generator.uniform(*{BURST_S})
    while time.perf_counter() < end:
        pass
    time.sleep(generator.uniform(*{PAUSE_S}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="of each way; 0 to leave out")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured by each of them")
    parser.add_argument("--aa", type=int, default=40, help="runs of fp32 against itself")
    parser.add_argument("--aa-seconds", type=float, default=5.0)
    options = parser.parse_args()

    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, torch {machine['torch']}")
    torch.set_num_threads(1)
    core = pin()
    where = "the system's choice of cores" if core is None else f"pinned to core {core}"
    print(f"one thread, {where}; load in the last minute {machine['load_1min']}", flush=True)
    try:
        if options.aa:
            against_itself(options.aa, options.aa_seconds)
        if options.runs:
            quiet = take_turns("Quiet", options.runs, options.seconds)
            with busy(core) as how:
                title = f"With {how}, busy for {BURST_S[0]:g} to {BURST_S[1]:g} s at a time"
                title += f" with pauses of {PAUSE_S[0]:g} to {PAUSE_S[1]:g} s"
                take_turns(title, options.runs, options.seconds, quiet)
    except KeyboardInterrupt:
        sys.exit(130)


def pin() -> int | None:
    """Keep this process on one core; return which, or None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


@contextmanager
def busy(core: int | None) -> Iterator[str]:
    """Keep the core (None: all of them) busy now and then; the value says how, in words."""
    cores = [-1] * (os.cpu_count() or 1) if core is None else [core]
    spinners = []
    try:
        for seed, each in enumerate(cores):
            command = [sys.executable, "-c", SPINNER, str(each), str(seed)]
            # Ctrl-C is for this program, which then ends them.
            spinners.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
            )
        yield f"{len(cores)} programs, one a core" if core is None else "a program on that core"
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def against_itself(runs: int, seconds: float) -> None:
    """Compare fp32 with fp32 and print the share of undecided verdicts."""
    verdicts, rounds, ratios = [], [], []
    for i in range(runs):
        made = finish(CompareSpec(variants=("fp32", "fp32"), seconds=seconds, seed=i))
        verdicts.append(made.to_json()["results"][1]["verdict"])
        rounds.append(len(made.blocks[0]))
        ratios.append(made.speedup(1).value)
        note(f"fp32 against itself, {i + 1} of {runs}: {ratios[-1]:.3f} {verdicts[-1]}")
    undecided = verdicts.count("undecided")
    ends = binomtest(undecided, runs).proportion_ci()
    print(
        f"\nfp32 against itself, {runs} runs of {seconds:g} s, {min(rounds)} to {max(rounds)} "
        f"rounds each\n"
        f"undecided: {undecided} of {runs}, {undecided / runs:.0%} "
        f"(95% interval {ends.low:.0%} to {ends.high:.0%}; it should be 95%)\n"
        f"ratios: {describe(ratios)}",
        flush=True,
    )


def take_turns(title: str, runs: int, seconds: float, quiet: float | None = None) -> float:
    """Measure int8's ratio both ways in turn and print how the two vary; return ours' median."""
    ours: list[Interval] = []
    theirs: list[float] = []
    seconds_spent = {"ours": [], "theirs": []}
    short = f"{title.split(',')[0]}:"

    def measure_ours(i: int) -> int:
        made = finish(CompareSpec(variants=VARIANTS, seconds=seconds, seed=i))
        ours.append(made.speedup(1))
        spent = sum(block.wall_s for blocks in made.blocks for block in blocks)
        seconds_spent["ours"].append(spent)
        note(f"{short} ours {i + 1} of {runs}: {ours[-1].value:.3f} in {spent:.1f} s")
        return sum(block.tokens for block in made.blocks[0])

    def measure_theirs(i: int, tokens: int) -> None:
        elapsed = tutorial_seconds(tokens)
        theirs.append(elapsed[0] / elapsed[1])
        seconds_spent["theirs"].append(sum(elapsed))
        note(f"{short} tutorial {i + 1} of {runs}: {theirs[-1]:.3f} in {sum(elapsed):.1f} s")

    tokens = 0
    for i in range(runs):
        # The first of a pair changes. As many tokens as ours last read take as long, here and now.
        if i % 2 == 0:
            tokens = measure_ours(i)
            measure_theirs(i, tokens)
        else:
            measure_theirs(i, tokens)
            tokens = measure_ours(i)

    values = [interval.value for interval in ours]
    median = statistics.median(values)
    print(f"\n{title}: int8's ratio to fp32, {runs} runs each")
    for name, ratios, spent in (
        ("ours", values, seconds_spent["ours"]),
        ("the tutorial's way", theirs, seconds_spent["theirs"]),
    ):
        print(f"{name:20}{describe(ratios)}, {statistics.mean(spent):.1f} s measured a run")
    if runs > 1:
        factor = deviation(theirs) / deviation(values)
        uncertain = math.sqrt(f.ppf(0.975, runs - 1, runs - 1))
        print(
            f"ours is narrower by a factor of {factor:.1f} "
            f"(95% interval {factor / uncertain:.1f} to {factor * uncertain:.1f}, were they normal)"
        )
    claimed = statistics.mean(interval.relative_half_width for interval in ours)
    print(
        f"our intervals: give or take {math.expm1(claimed):.1%} on average; "
        f"{count_holding(ours, median)} of {runs} hold the median of our runs, {median:.3f}"
    )
    if quiet is not None:
        print(f"and {count_holding(ours, quiet)} of {runs} the quiet one, {quiet:.3f}")
    print("ours:    ", *(f"{value:.3f}" for value in values))
    print("tutorial:", *(f"{value:.3f}" for value in theirs), flush=True)
    return median


def tutorial_seconds(tokens: int) -> list[float]:
    """Measure the tutorial's way: evaluate a text of so many tokens with one model, then with the
    other, after a warm-up of each; return the seconds of both."""
    checkpoint = open_model(DEFAULT_MODEL)
    data = batchify(open_text(DEFAULT_TEXT, checkpoint.vocabulary).ids, 1)
    models = [quantize(checkpoint.model, Variant.parse(name)) for name in VARIANTS]
    for model in models:
        next(tutorial_evaluate(model, data[: 4 * BPTT]))
    text = data.repeat(math.ceil((tokens + 1) / len(data)), 1)[: tokens + 1]
    return [sum(seconds for _, seconds in tutorial_evaluate(model, text)) for model in models]


def finish(spec: CompareSpec) -> Comparison:
    """Run a comparison to its end."""
    for progress in compare(spec):
        made = progress.measured
    return made


def count_holding(intervals: list[Interval], value: float) -> int:
    """Return how many intervals hold the value."""
    return sum(interval.low <= value <= interval.high for interval in intervals)


def deviation(ratios: list[float]) -> float:
    """Return the standard deviation of the logarithms."""
    return statistics.stdev(map(math.log, ratios))


def describe(ratios: list[float]) -> str:
    """Return median, standard deviation and range in words."""
    spread = f"{deviation(ratios):.2%}" if len(ratios) > 1 else "unknown"
    return (
        f"median {statistics.median(ratios):.3f}, standard deviation {spread}, "
        f"{min(ratios):.3f} to {max(ratios):.3f}"
    )


def note(text: str) -> None:
    """Say on standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
