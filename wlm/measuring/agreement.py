"""Agreement: how often, and how closely, a variant predicts the same next word as the baseline.

A loss can stay the same while predictions change: some words become likelier, others less likely.
So both models read the same text, and their distributions are compared at each token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wlm.measuring.evaluate import DEFAULT_BPTT, DEFAULT_THREADS, thread_count
from wlm.measuring.intervals import LEVEL
from wlm.quantization.prepare import PreparedModel
from wlm.sampling.divergence import kl_divergence
from wlm.text.corpus import get_batch

DRAWS = 1_000
BLOCKS = 60  # blocks of text for the intervals
FEWEST_TOKENS = 400  # with fewer, an interval would claim more than the data support
FURTHEST = 10  # tokens that the result names: those where the models differ most
ROWS_AT_ONCE = 64  # distributions in memory at once, 33,278 numbers each
BINS = 40
HISTOGRAM = np.logspace(-8, 2, BINS + 1)  # edges in nats: four bins per power of ten
STATISTICS = "kl_mean kl_median kl_p99 same_word probability_change probability_rms".split()


@dataclass(frozen=True)
class Differences:
    """How a variant's predictions of consecutive tokens differ from the baseline's, each (N,).

    `kl` is the Kullback-Leibler divergence of the variant from the baseline in nats. `same` tells
    whether both give the same word the highest probability. `change` is the variant's probability
    of the correct word minus the baseline's. `expected` and `preferred` are the ids of the
    likeliest words of baseline and variant.
    """

    kl: np.ndarray
    same: np.ndarray
    change: np.ndarray
    expected: np.ndarray
    preferred: np.ndarray


def differences(baseline: Tensor, variant: Tensor, targets: Tensor) -> Differences:
    """Return how logits (N, V) of a variant differ from the baseline's, for the targets (N,)."""
    pieces = []
    for p, q, target in zip(
        baseline.split(ROWS_AT_ONCE),
        variant.split(ROWS_AT_ONCE),
        targets.split(ROWS_AT_ONCE),
        strict=True,
    ):
        # Small divergences are differences of nearly equal numbers, whose digits float32 lacks.
        log_p, log_q = p.double().log_softmax(-1), q.double().log_softmax(-1)
        before, after = (log.gather(1, target[:, None])[:, 0].exp() for log in (log_p, log_q))
        expected, preferred = p.argmax(-1), q.argmax(-1)
        pieces.append(
            Differences(
                kl_divergence(log_p, log_q).numpy(),
                (expected == preferred).numpy(),
                (after - before).numpy(),
                expected.numpy(),
                preferred.numpy(),
            )
        )
    return joined(pieces)


def joined(pieces: Sequence[Differences]) -> Differences:
    """Join the differences of consecutive stretches of text into one."""
    names = Differences.__dataclass_fields__
    return Differences(
        *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names)
    )


def read_together(
    models: Sequence[PreparedModel],
    data: Tensor,
    *,
    bptt: int = DEFAULT_BPTT,
    threads: int = DEFAULT_THREADS,
) -> Iterator[list[Differences]]:
    """Let models read batchified ids (N, B) together; yield, per chunk, the differences of each
    other model from the first model."""
    hidden = [model.init_hidden(data.size(1)) for model in models]
    for start in range(0, data.size(0) - 1, bptt):
        input, targets = get_batch(data, start, bptt)
        with torch.inference_mode(), thread_count(threads):
            logits = []
            for i, model in enumerate(models):
                output, hidden[i] = model(input, hidden[i])  # (T, B, V)
                logits.append(output.view(len(targets), -1))
            found = [differences(logits[0], own, targets) for own in logits[1:]]
        yield found


def agreement(found: Differences, data: Tensor, words: Sequence[str]) -> dict:
    """Return how a variant's predictions agree with the baseline's over a text, batchified ids
    (N, B), as docs/json.md describes it. `words` is the vocabulary's."""
    order = np.argsort(found.kl, kind="stable")
    counts, _ = np.histogram(np.clip(found.kl, HISTOGRAM[0], HISTOGRAM[-1]), HISTOGRAM)
    furthest = [int(i) for i in order[::-1][:FURTHEST] if found.kl[i] > 0]
    return {
        "tokens": len(found.kl),
        **_with_intervals(found, order),
        "kl_histogram": counts.tolist(),
        "furthest": [_token(found, i, data, words) for i in furthest],
    }


def _token(found: Differences, i: int, data: Tensor, words: Sequence[str]) -> dict:
    row, column = divmod(i, data.size(1))
    before = data[max(0, row - 11) : row + 1, column].tolist()
    return {
        "position": row + 1,  # in its column, counted from 0
        "before": [words[id] for id in before],
        "word": words[int(data[row + 1, column])],
        "baseline": words[int(found.expected[i])],
        "variant": words[int(found.preferred[i])],
        "kl": float(found.kl[i]),
    }


def _with_intervals(found: Differences, order: np.ndarray) -> dict:
    """Return the statistics of differences, each with the ends of its 95% interval.

    The text is cut into blocks of consecutive tokens, because neighbors are alike, and blocks are
    drawn with replacement.
    """
    n = len(found.kl)
    number = min(BLOCKS, n)
    block = np.arange(n) * number // n  # the block of each token
    picks = np.random.default_rng(0).integers(0, number, (DRAWS, number))
    weights = np.stack([np.bincount(drawn, minlength=number) for drawn in picks])  # (DRAWS, blocks)
    tokens_drawn = weights @ np.bincount(block)
    ordered, ordered_block = found.kl[order], block[order]

    # Both return a statistic of the text, and of each draw, (DRAWS,).
    def mean(values: np.ndarray) -> tuple[float, np.ndarray]:
        return values.mean(), weights @ np.bincount(block, values) / tokens_drawn

    def kl_quantile(share: float) -> tuple[float, np.ndarray]:
        drawn = np.empty(DRAWS)
        for i, own in enumerate(weights):
            total = np.cumsum(own[ordered_block])
            drawn[i] = ordered[np.searchsorted(total, share * total[-1])]
        return np.quantile(found.kl, share), drawn

    statistics = (
        mean(found.kl),
        kl_quantile(0.5),
        kl_quantile(0.99),
        mean(found.same.astype(float)),
        mean(found.change),
        [np.sqrt(square) for square in mean(found.change**2)],
    )
    content = {}
    for name, (value, drawn) in zip(STATISTICS, statistics, strict=True):
        ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
        content[name] = float(value)
        content[f"{name}_ci95"] = ends if n >= FEWEST_TOKENS else None
    return content


def sentence(agreement: dict, label: str, loss_delta: float) -> str:
    """Return an agreement (its JSON) as a sentence to read aloud."""
    differing = 1 - agreement["same_word"]
    change = f"the loss changes by {abs(loss_delta):.3f}"
    if not differing:
        return f"{label} prefers the same word at every token, and {change}."
    return f"{label} prefers another word at 1 token in {1 / differing:,.0f}, while {change}."
