"""How sure a comparison is: intervals by hand, and by simulation of comparisons with a known truth.

    python -m tests.measuring.test_intervals [repetitions]

prints the tables of docs/methodology.md (about ten minutes).
"""

import math
import sys
from functools import cache

import numpy as np
import pytest

from benchmarks.coverage import BETWEEN, GROUPS, share_held_between_groups
from wlm.measuring import intervals
from wlm.measuring.compare import ROUNDS_PER_GROUP
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec, Comparison
from wlm.measuring.evaluate import Block
from wlm.measuring.intervals import (
    Interval,
    grouped_ratio_interval,
    mean_interval,
    ratio_interval,
    spread,
    verdict,
)

T_3 = 3.182446  # Student's t, 3 degrees of freedom, 97.5%

# By hand


def test_a_mean_of_four_has_students_interval():
    # Deviations -1.5, -0.5, 0.5, 1.5: a variance of 5/3.
    half = T_3 * math.sqrt(5 / 3) / 2
    interval = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert interval == Interval(2.5, pytest.approx(2.5 - half), pytest.approx(2.5 + half))


def test_a_mean_of_eight_draws_four_runs_of_two():
    # Of the 8 circular runs, 2 hold the one value that is not 0, so a drawn mean is k of 0 to 4,
    # binomial (4, 1/4). Student's t with 3 degrees of freedom asks for the percentiles 0.012 and
    # 99.988; four times out of four has a share of 0.39 in 100.
    assert mean_interval([0.0] * 7 + [8.0]) == Interval(1.0, 0.0, 4.0)


def test_percentiles_are_widened_for_few_runs():
    # Runs of 3: a drawn mean is binomial (9, 1/9). At least 4 has a share of 1.20%, at least 5 one
    # of 0.14%: 4 is the percentile 99.28 that Student's t asks for, 97.5 would be 3.
    assert mean_interval([0.0] * 26 + [27.0]) == Interval(1.0, 0.0, 4.0)


def test_five_runs_of_two_count_as_the_nine_values_that_there_are():
    # Five draws that miss the 9 have a mean of 0: ten values' offset, and nine values' is larger.
    assert mean_interval([0.0] * 8 + [9.0]).low == pytest.approx(1.0 - math.sqrt(10 / 9))


@pytest.mark.parametrize("rounds", [4, 7, 8, 30])
def test_a_constant_ratio_is_known_without_doubt(rounds):
    interval = ratio_interval([2.5] * rounds, [1.0] * rounds)
    assert (interval.value, interval.low, interval.high) == pytest.approx((2.5, 2.5, 2.5))
    assert interval.relative_half_width == pytest.approx(0.0, abs=1e-12)
    assert verdict(ratio_interval([0.3] * rounds, [0.3] * rounds)) == "undecided"


def test_a_ratio_is_the_geometric_mean_of_pairs():
    # Ratios 2, 8, 2, 8: logarithms of base 2 are 1, 3, 1, 3, with a variance of 4/3.
    interval = ratio_interval([2.0, 16.0, 6.0, 8.0], [1.0, 2.0, 3.0, 1.0])
    factor = 2 ** (T_3 * math.sqrt(4 / 3) / 2)
    assert interval.value == pytest.approx(4.0)
    assert (interval.low, interval.high) == pytest.approx((4 / factor, 4 * factor))


@pytest.mark.parametrize("rounds", [6, 20])
def test_an_inverse_ratio_is_as_sure(rounds):
    a, b = np.exp(np.random.default_rng(1).normal(0, 0.1, (2, rounds)))
    there, back = ratio_interval(a, b), ratio_interval(b, a)
    assert back.value == pytest.approx(1 / there.value)
    assert back.relative_half_width == pytest.approx(there.relative_half_width, rel=0.1)


@pytest.mark.parametrize("rounds", [1, 3])
def test_fewer_than_four_rounds_are_never_sure(rounds):
    interval = ratio_interval([3.0] * rounds, [1.0] * rounds)
    assert (interval.low, interval.high) == (0.0, math.inf)
    assert interval.value == pytest.approx(3.0)
    assert interval.relative_half_width == math.inf
    assert verdict(interval) == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.001, 1.2, "faster"),
        (1.0, 1.2, "undecided"),
        (0.9, 1.1, "undecided"),
        (0.9, 1.0, "undecided"),
        (0.9, 0.999, "slower"),
    ],
)
def test_a_verdict_needs_all_of_the_interval_on_one_side_of_1(low, high, expected):
    assert verdict(Interval((low + high) / 2, low, high)) == expected


def test_half_width_is_on_a_log_scale():
    assert Interval(1.1, 1.0, 1.21).relative_half_width == pytest.approx(math.log(1.1))
    assert Interval(1.0, 0.0, 2.0).relative_half_width == math.inf


def test_spread_is_quartile_to_quartile_over_the_median():
    assert spread([5.0, 1.0, 3.0, 2.0, 4.0]) == pytest.approx(2 / 3)
    assert spread([2.0, 2.0]) == 0.0


def test_a_seed_gives_the_same_interval_again():
    values = np.random.default_rng(1).normal(size=20)
    assert mean_interval(values, 1) == mean_interval(values, 1) != mean_interval(values, 2)


def test_order_matters_only_through_neighbours():
    def width(values) -> float:
        interval = mean_interval(values)
        return interval.high - interval.low

    values = np.random.default_rng(1).normal(size=30)
    # The same neighbours, since the last is the first's.
    assert width(np.roll(values, 11)) == pytest.approx(width(values), rel=0.1)
    assert width(values[::-1]) == pytest.approx(width(values), rel=0.1)
    # Like beside like tells less than as many values in turn.
    assert width([0.0] * 30 + [1.0] * 30) > 1.5 * width([0.0, 1.0] * 30)


def comparison(
    above, below, nlls=None, *, tokens=None, rounds_per_pass=None, target=None
) -> Comparison:
    """Make a comparison of two variants from the seconds of their blocks."""
    tokens = tokens or [100] * len(above)
    nlls = nlls or [[500.0] * len(above)] * 2
    blocks = [
        [Block(*fields, cpu_s=0.0) for fields in zip(tokens, nll, wall, strict=True)]
        for wall, nll in zip((above, below), nlls, strict=True)
    ]
    spec = CompareSpec(variants=("fp32", "fp32"), target=target)
    return Comparison(spec, "made up", [1, 1], rounds_per_pass or len(above), blocks, machine={})


def test_a_loss_difference_is_per_token_over_the_first_pass():
    # Differences of 1, 2, 3 and 1 nats over 340 tokens; what the second pass gives is left out.
    nlls = [[500.0, 500.0, 500.0, 200.0, 0.0], [501.0, 502.0, 503.0, 201.0, 900.0]]
    tokens = [100, 100, 100, 40, 100]
    made = comparison([1.0] * 5, [1.0] * 5, nlls, tokens=tokens, rounds_per_pass=4)
    half = T_3 * math.sqrt(2.75 / 3) / 2 / 85
    interval = made.loss_delta(1)
    assert interval.value == pytest.approx(7 / 340)
    assert (interval.low, interval.high) == pytest.approx((7 / 340 - half, 7 / 340 + half))
    baseline = made.loss_delta(0)
    assert (baseline.value, baseline.low, baseline.high) == (0.0, 0.0, 0.0)


def test_groups_have_students_interval_of_their_means():
    # Logarithms of base 2 of the ratios, by group: 1 and 3, 2, 3 and 1, 1, 2 and 4: means 2, 2, 2,
    # 1, 3, whose variance is 1/2. Student's t with 4 degrees of freedom is 2.776445.
    ratios = [2.0, 8.0, 4.0, 8.0, 2.0, 2.0, 4.0, 16.0]
    interval = grouped_ratio_interval(ratios, [1.0] * 8, [2, 1, 2, 1, 2])
    factor = 2 ** (2.776445 * math.sqrt(1 / 2) / math.sqrt(5))
    assert interval.value == pytest.approx(4.0)
    assert (interval.low, interval.high) == pytest.approx((4 / factor, 4 * factor))


def test_fewer_than_five_groups_are_never_sure():
    interval = grouped_ratio_interval([2.0] * 8, [1.0] * 8, [2] * 4)
    assert (interval.low, interval.high) == (0.0, math.inf)
    assert interval.value == pytest.approx(2.0)
    assert grouped_ratio_interval([2.0] * 8, [1.0] * 8, [2, 2, 2, 1, 1]).low == pytest.approx(2.0)


def test_more_rounds_in_the_same_groups_do_not_make_a_ratio_surer():
    """What differs between groups alone is averaged out by groups alone."""
    of_group = np.exp([0.1, -0.1, 0.05, 0.0, -0.05, 0.0])
    few, many = (
        grouped_ratio_interval(np.repeat(of_group, n), [1.0] * 6 * n, [n] * 6) for n in (1, 50)
    )
    assert (many.low, many.high) == pytest.approx((few.low, few.high))


def test_a_short_last_block_does_not_count_for_speed():
    made = comparison(
        [2.0, 2.0, 2.0, 2.0, 9.0], [1.0, 1.0, 1.0, 1.0, 0.1], tokens=[100, 100, 100, 100, 40]
    )
    assert made.speedup(1).value == pytest.approx(2.0)


# By simulation: what a machine does meanwhile slows blocks down, by factors that are made from
# ticks of a tenth of a second. A baseline's block lasts 5 ticks, so does another's of the same
# program; one of a faster variant lasts 2.

TICK_S = 0.1
SAME, FASTER = (5, 5), (5, 2)
BLOCK_NOISE = 0.02  # of every block on its own: standard deviation of the logarithm
NOISES = ("white", "autoregressive", "drift", "bursts", "all together")
ROUNDS = (8, 15, 30, 100)
REPETITIONS = 300
BOUNDS = 0.91, 0.99  # three standard errors of a share of 95% in 300
BUDGET = 60  # rounds


@pytest.fixture
def fewer_draws(monkeypatch):
    """For speed; at worst it makes intervals narrower, and so harder to pass with."""
    monkeypatch.setattr(intervals, "DRAWS", 2000)


def autoregressive(kept: float, normal: np.ndarray) -> np.ndarray:
    """Return series (repetitions, steps), each step the share kept of the one before, and its own
    noise."""
    series = normal.copy()
    for step in range(1, series.shape[1]):
        series[:, step] += kept * series[:, step - 1]
    return series


def slowdowns(noise: str, repetitions: int, ticks: int, rng: np.random.Generator) -> np.ndarray:
    """Return the factor (repetitions, ticks) by which the machine is slower at each tick."""
    before = 200  # ticks in which the noise forgets how it began
    shape = repetitions, before + ticks
    logs = np.zeros(shape)
    if noise in ("autoregressive", "all together"):  # forgotten after about 2 s
        kept = 0.95
        logs += 0.05 * autoregressive(kept, math.sqrt(1 - kept**2) * rng.normal(size=shape))
    if noise in ("drift", "all together"):  # such as heat: 30% up and down in 20 to 120 s
        period, phase = rng.uniform([[20.0], [0.0]], [[120.0], [2 * math.pi]], (2, repetitions))
        seconds = TICK_S * np.arange(shape[1])
        logs += 0.15 * np.sin(2 * math.pi * seconds / period[:, None] + phase[:, None])
    if noise in ("bursts", "all together"):  # another program, for 0.2 to 2 s about every 6 s
        starts, tick = rng.random(shape) < TICK_S / 5, np.arange(shape[1])
        ends = np.where(starts, tick + rng.integers(2, 21, shape), 0)
        logs += math.log(1.7) * (np.maximum.accumulate(ends, axis=1) > tick)
    return np.exp(logs[:, before:])


def block_times(
    noise: str,
    repetitions: int,
    rounds: int,
    seed: int,
    ticks: tuple[int, int] = SAME,
    block_noise: float = BLOCK_NOISE,
) -> np.ndarray:
    """Return the seconds of both variants' blocks (2, repetitions, rounds), measured in random
    order within each round. `ticks`: how long a block of each lasts when nothing disturbs it."""
    rng = np.random.default_rng(seed)
    slower = slowdowns(noise, repetitions, rounds * sum(ticks), rng)
    until = np.pad(TICK_S * np.cumsum(slower, axis=1), ((0, 0), (1, 0)))
    swapped = rng.random((repetitions, rounds)) < 0.5
    round_starts = np.arange(rounds) * sum(ticks)
    times = []
    for ticks_of_one, ticks_of_other, second in zip(
        ticks, ticks[::-1], (swapped, ~swapped), strict=True
    ):
        start = round_starts + np.where(second, ticks_of_other, 0)
        seconds = np.take_along_axis(until, start + ticks_of_one, 1) - np.take_along_axis(
            until, start, 1
        )
        times.append(seconds * np.exp(rng.normal(0, block_noise, seconds.shape)))
    return np.stack(times)


@cache
def truth(noise: str, ticks: tuple[int, int]) -> float:
    """The ratio that an endless comparison would come to. Bursts change it by 0.3%, since one
    that is as long as a block of the faster variant is only a part of a slower one's."""
    if ticks == SAME:
        return 1.0
    above, below = block_times(noise, 200, 1000, seed=99, ticks=ticks)
    return math.exp(np.log(above / below).mean())


def holds(interval: Interval, true: float) -> bool:
    return interval.low <= true <= interval.high


def share_held(
    noise: str, rounds: int, ticks: tuple[int, int], repetitions: int = REPETITIONS
) -> float:
    """Return the share of comparisons whose interval holds the truth."""
    true = truth(noise, ticks)
    pairs = block_times(noise, repetitions, rounds, seed=rounds, ticks=ticks).swapaxes(0, 1)
    return float(
        np.mean([holds(ratio_interval(*pair, seed=i), true) for i, pair in enumerate(pairs)])
    )


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("noise", NOISES)
def test_19_of_20_intervals_hold_the_true_ratio(noise, rounds):
    assert BOUNDS[0] <= share_held(noise, rounds, FASTER) <= BOUNDS[1]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("noise", NOISES)
def test_19_of_20_comparisons_of_a_program_with_itself_are_undecided(noise, rounds, fewer_draws):
    pairs = block_times(noise, REPETITIONS, rounds, seed=rounds).swapaxes(0, 1)
    verdicts = [verdict(ratio_interval(*pair, seed=i)) for i, pair in enumerate(pairs)]
    assert BOUNDS[0] <= verdicts.count("undecided") / REPETITIONS <= BOUNDS[1]


@pytest.mark.parametrize("rounds", [4, 5, 6, 7])
@pytest.mark.parametrize("noise", ["white", "all together"])
def test_intervals_of_a_handful_of_rounds_are_honest(noise, rounds):
    assert share_held(noise, rounds, SAME) >= BOUNDS[0]


def one_sided(kept: float, repetitions: int, rounds: int) -> np.ndarray:
    """Return logarithms of ratios (repetitions, rounds), mean 0, that resemble their neighbours:
    what slows one variant more than the other, such as a neighbour who takes memory bandwidth."""
    normal = np.random.default_rng(1).normal(size=(repetitions, 100 + rounds))
    return autoregressive(kept, normal)[:, 100:]


def shares_held_one_sided(kept: float, repetitions: int, rounds: int) -> list[float]:
    """Return the shares of intervals that hold the truth, from runs of neighbours and from rounds
    that were shuffled: their neighbours are so by chance, and tell no more than single rounds."""
    logs = one_sided(kept, repetitions, rounds)
    shuffled = np.random.default_rng(2).permuted(logs, axis=1)
    return [
        float(np.mean([holds(mean_interval(values, i), 0.0) for i, values in enumerate(rows)]))
        for rows in (logs, shuffled)
    ]


def test_resampling_single_rounds_would_promise_too_much(fewer_draws):
    neighbours, single = shares_held_one_sided(0.5, REPETITIONS, 100)
    assert neighbours > 0.83
    assert single < 0.79


def stop_when_sure(pair: np.ndarray) -> tuple[int, Interval]:
    """Run a comparison by its own rule; return after how many rounds it ended, and its interval."""
    made = comparison([], [], target=DEFAULT_TARGET)
    made.groups = []
    for round_, times in enumerate(pair.T, start=1):
        for blocks, seconds in zip(made.blocks, times, strict=True):
            blocks.append(Block(100, 500.0, seconds, 0.0))
        made.groups = [ROUNDS_PER_GROUP] * (round_ // ROUNDS_PER_GROUP)
        if round_ % ROUNDS_PER_GROUP == 0 and made.is_sure():
            break
    return len(made.blocks[0]), made.speedup(1)


# Noise of 5% makes a comparison stop anywhere from the first check to the budget: by luck, most.
# The last takes as long as all others together: below, and not in a test.
STOPPING = (("white", 0.02), ("white", 0.05), ("autoregressive", 0.02), ("all together", 0.02))


def share_held_by_groups(
    noise: str, groups: int, ticks: tuple[int, int], repetitions: int = REPETITIONS
) -> float:
    """Return the share of comparisons whose interval, from groups of rounds, holds the truth."""
    sizes, true = [ROUNDS_PER_GROUP] * groups, truth(noise, ticks)
    pairs = block_times(noise, repetitions, sum(sizes), seed=groups, ticks=ticks)
    return float(
        np.mean(
            [holds(grouped_ratio_interval(*pair, sizes), true) for pair in pairs.swapaxes(0, 1)]
        )
    )


@pytest.mark.parametrize("groups", [5, 8, 12])
@pytest.mark.parametrize("noise", NOISES)
def test_19_of_20_intervals_from_groups_hold_the_true_ratio(noise, groups):
    # Bursts in few rounds are so skewed that Student's t is wide.
    assert BOUNDS[0] <= share_held_by_groups(noise, groups, SAME) <= 0.99
    assert BOUNDS[0] <= share_held_by_groups(noise, groups, FASTER)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("between", BETWEEN)
def test_intervals_know_what_differs_between_groups(between, groups):
    share, _ = share_held_between_groups(between, groups, 2_000)
    assert 0.93 <= share <= 0.97


def test_intervals_within_one_preparation_would_promise_too_much():
    _, within = share_held_between_groups(1.0, 8, 2_000)
    assert within < 0.70


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "block_noise"), STOPPING[:3])
def test_stopping_when_sure_costs_little(noise, block_noise, fewer_draws):
    pairs = block_times(noise, REPETITIONS, BUDGET, seed=3, block_noise=block_noise)
    ends = [stop_when_sure(pair)[1] for pair in pairs.swapaxes(0, 1)]
    share = sum(verdict(end) == "undecided" for end in ends) / REPETITIONS
    assert 0.90 <= share <= BOUNDS[1]


def main(repetitions: int) -> None:
    for ticks in (FASTER, SAME):
        print(f"\n{ticks[0] / ticks[1]} times as fast, {repetitions} comparisons a cell\n")
        print("| noise | " + " | ".join(f"{rounds} rounds" for rounds in ROUNDS) + " |")
        for noise in NOISES:
            shares = [share_held(noise, rounds, ticks, repetitions) for rounds in ROUNDS]
            print(f"| {noise} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    print("\nFewer rounds, the program with itself\n")
    for noise in NOISES:
        shares = [share_held(noise, rounds, SAME, repetitions) for rounds in range(4, 8)]
        print(f"| {noise} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    print("\nGroups of two rounds: 2.5 times as fast, and the program with itself\n")
    for noise in NOISES:
        cells = [
            f"{share_held_by_groups(noise, groups, ticks, repetitions):.1%}"
            for ticks in (FASTER, SAME)
            for groups in (5, 8, 12)
        ]
        print(f"| {noise} | " + " | ".join(cells) + " |")
    print("\nStopping when sure: held, median rounds, share that used up the budget\n")
    for noise, block_noise in (*STOPPING, ("white", 0.03), ("drift", 0.02), ("bursts", 0.02)):
        pairs = block_times(noise, repetitions, BUDGET, seed=3, block_noise=block_noise)
        rounds, ends = zip(*map(stop_when_sure, pairs.swapaxes(0, 1)), strict=True)
        share = np.mean([holds(end, 1.0) for end in ends])
        used_up = np.mean(np.array(rounds) == BUDGET)
        print(
            f"| {noise}, {block_noise:.0%} | {share:.1%} | {np.median(rounds):g} | {used_up:.0%} |"
        )
    print("\nOne-sided, from round to round: runs of neighbours, single rounds\n")
    for kept in (0.3, 0.5, 0.7):
        for rounds in ROUNDS:
            neighbours, single = shares_held_one_sided(kept, repetitions, rounds)
            print(f"| {kept} | {rounds} | {neighbours:.1%} | {single:.1%} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
