"""How often an interval contains the truth if preparations differ.

    python -m benchmarks.coverage [--repetitions 8000]

Simulates comparisons. The logarithm of a round's ratio is the truth, plus a deviation of its group
(the memory layout of the weights), plus a deviation of the round. Prints the share of 95% intervals
that contain the truth, by the ratio of the two standard deviations and the number of groups. The
share in brackets is for the same number of rounds from a single preparation. Takes about a minute.
"""

import argparse

import numpy as np

from wlm.measuring.compare import ROUNDS_PER_GROUP
from wlm.measuring.intervals import Interval, grouped_ratio_interval, ratio_interval

BETWEEN = (0.0, 0.5, 1.0, 2.0)  # standard deviation between groups, over that within them
GROUPS = (5, 8, 12)
WITHIN = 0.05  # of logarithms, as measured
TRUTH = 2.5
IN_ONE = 4  # every fourth repetition also computes the slower interval of one preparation


def share_held_between_groups(
    between: float, groups: int, repetitions: int, rounds: int = ROUNDS_PER_GROUP
) -> tuple[float, float]:
    """Return the shares of intervals that hold the truth: those from groups of rounds, and those
    from as many rounds of a single preparation."""
    generator = np.random.default_rng((round(100 * between), groups, rounds))
    of_group = generator.normal(0.0, between * WITHIN, (repetitions, groups, 1))
    logs = of_group + generator.normal(0.0, WITHIN, (repetitions, groups, rounds))
    ratios, sizes = TRUTH * np.exp(logs.reshape(repetitions, -1)), [rounds] * groups
    even = np.ones(groups * rounds)
    held = [_holds(grouped_ratio_interval(row, even, sizes)) for row in ratios]
    of_one = [
        _holds(ratio_interval(row * np.exp(common[0, 0] - common.repeat(rounds)), even, i))
        for i, (row, common) in enumerate(zip(ratios[::IN_ONE], of_group[::IN_ONE], strict=True))
    ]
    return float(np.mean(held)), float(np.mean(of_one))


def _holds(interval: Interval) -> bool:
    return interval.low <= TRUTH <= interval.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=8_000, help="a cell")
    repetitions = parser.parse_args().repetitions
    print("| between over within | " + " | ".join(f"{groups} groups" for groups in GROUPS) + " |")
    print("|---|" + "---|" * len(GROUPS))
    for between in BETWEEN:
        cells = [share_held_between_groups(between, groups, repetitions) for groups in GROUPS]
        shares = " | ".join(f"{held:.1%} ({of_one:.1%})" for held, of_one in cells)
        print(f"| {between:g} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
