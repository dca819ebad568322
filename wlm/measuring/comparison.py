"""A comparison: its settings, its measurements so far, and its results."""

import math
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from torch import Tensor

from wlm.catalog.registry import DEFAULT_TEXT, random_hidden
from wlm.errors import check_range
from wlm.measuring.evaluate import (
    DEFAULT_BPTT,
    DEFAULT_THREADS,
    Block,
    Evaluation,
    check_bptt,
    check_threads,
)
from wlm.measuring.intervals import (
    Interval,
    grouped_ratio_interval,
    mean_interval,
    ratio_interval,
    spread,
    verdict,
)
from wlm.measuring.machine import describe_machine, load_now
from wlm.measuring.memory import SECONDS as MEMORY_SECONDS
from wlm.measuring.memory import Memory
from wlm.measuring.spec import VariantSettings
from wlm.measuring.wording import disturbances, left_out, unknown_warnings
from wlm.quantization.variant import Variant

DEFAULT_TARGET = 0.03
FEWEST_GROUPS_TO_STOP = 8  # an interval from fewer is itself too uncertain to stop by
# A budget of seconds reads at least this much once, so that every run computes the loss over the
# same tokens: about as much as a slow machine has time for, and all of the bundled text for 6 s or
# more.
CHUNKS_PER_SECOND, MOST_TOKENS_READ = 50, 7_500
AGREEMENT_SECONDS = 6.0  # about what comparing a variant's predictions takes for so many tokens
OF_PROTOCOL = ("bptt", "batch_size", "threads", "seed", "seconds", "target")  # settings
RANDOM = "The model's weights are random: its speed and size are real, its loss means nothing."


@dataclass(frozen=True)
class CompareSpec(VariantSettings):
    """What to compare: variants (the first is the baseline), model, text and protocol.

    tokens: length of the text's beginning that is read. None for all of it; with a budget, for
    `tokens_to_read`. seconds: budget of measured time over all variants: after everything is read
    once, it is read again and again until the budget is spent; None to read it once. target: end as
    soon as every speed-up is known give or take this share (0.03 for 3%), with a budget not before
    everything is read once; None to go on. seed: of the order within rounds, of the preparation and
    of the loss differences' intervals. `random-256` is a model of random weights, see `open_model`.
    After everything is timed: agreement: also compare the predictions; memory: also measure each
    variant's memory.

    Raises SettingError or VariantError; what depends on the text is checked by `compare`.
    """

    kind: ClassVar[str] = "compare"
    words: ClassVar[str] = "a comparison"
    preparation_seconds: ClassVar[float] = 5.0

    text: str = DEFAULT_TEXT
    tokens: int | None = None
    seconds: float | None = None
    target: float | None = None
    bptt: int = DEFAULT_BPTT
    batch_size: int = 1
    threads: int = DEFAULT_THREADS
    seed: int = 1
    agreement: bool = False
    memory: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.tokens is not None:
            check_range("tokens", self.tokens, 2, 1_000_000_000)
        if self.seconds is not None:
            check_range("seconds", self.seconds, 0.1, 86_400.0)
        if self.target is not None:
            check_range("target", self.target, 0.001, 1.0)
        random_hidden(self.model)
        check_bptt(self.bptt)
        check_range("the batch size", self.batch_size, 1, 256)
        tokens = self.bptt * self.batch_size
        check_range("the chunk length times the batch size", tokens, 1, 10_000)
        check_threads(self.threads)
        check_range("seed", self.seed, 0, 2**63 - 1)

    @property
    def most_seconds(self) -> float | None:
        """Return about how long the comparison takes at most; None if it reads its text to the
        end."""
        each = AGREEMENT_SECONDS * self.agreement + MEMORY_SECONDS * self.memory
        timed = super().most_seconds
        return None if timed is None else timed + each * len(self.variants)

    def tokens_to_read(self, length: int) -> int:
        """Return how many tokens of a text of this length are read at least once; the number is the
        same on every machine."""
        if self.tokens is not None:
            return self.tokens
        if self.seconds is None:
            return length
        chunks = math.ceil(CHUNKS_PER_SECOND * self.seconds)
        return min(length, MOST_TOKENS_READ, chunks * self.bptt * self.batch_size)


@dataclass
class Comparison:
    """The measurements so far: one list of blocks per variant, in the spec's order.

    Block i of every variant belongs to round i and has the same tokens. A pass over the text has
    `rounds_per_pass` rounds; later passes read the same text again from a zero state. `groups` has
    the number of rounds of each group, before which every variant was prepared again; None for runs
    of earlier versions, which prepared once.
    """

    spec: CompareSpec
    text: str
    sizes: list[int]  # bytes, per variant
    rounds_per_pass: int
    blocks: list[list[Block]]
    groups: list[int] | None = None
    machine: dict = field(default_factory=describe_machine)
    weights_sha256: str | None = None
    weights_read: str | None = None  # how, unless they were a plain state_dict
    unknown: dict | None = None  # of the tokens read so far, see `count_unknown`
    vocabulary_sha256: str | None = None
    text_sha256: str | None = None
    tokens_left_out: int = 0  # at the text's end, so that all columns are equally long
    agreements: dict[int, dict] = field(default_factory=dict)  # with the baseline, by variant
    memories: dict[int, Memory] = field(default_factory=dict)  # by variant

    @property
    def labels(self) -> list[str]:
        """Return a different label for each variant, even if a variant is listed twice."""
        labels = [Variant.parse(name).label for name in self.spec.variants]
        seen = [labels[:i].count(label) + 1 for i, label in enumerate(labels)]
        return [
            label if nth == 1 else f"{label} ({nth})"
            for label, nth in zip(labels, seen, strict=True)
        ]

    def first_pass(self, i: int) -> list[Block]:
        """Return variant i's blocks of the first pass, from which loss and elapsed time are
        summed."""
        return self.blocks[i][: self.rounds_per_pass]

    @property
    def compared(self) -> range:
        """Return the variants whose predictions are compared: with the baseline, or with fp32 if
        there is one variant alone."""
        return range(len(self.spec.variants))[1:] or range(1)

    @property
    def tokens(self) -> int:
        """Return the length of the text read so far, including each column's first token, which is
        not predicted."""
        return sum(block.tokens for block in self.first_pass(0)) + self.spec.batch_size

    def speedup(self, i: int) -> Interval:
        """Return how many times as fast as the baseline variant i is."""
        pairs = list(zip(self.blocks[0], self.blocks[i], strict=True))
        if self.groups is None:
            # The text's last block was short in earlier versions, and its time all noise.
            whole = max(block.tokens for block, _ in pairs) / 2
            pairs = [pair for pair in pairs if pair[0].tokens >= whole]
        baseline = [block.wall_s for block, _ in pairs]
        variant = [block.wall_s for _, block in pairs]
        if self.groups is None:
            return ratio_interval(baseline, variant, self.spec.seed)
        return grouped_ratio_interval(baseline, variant, self.groups)

    def loss_delta(self, i: int) -> Interval:
        """Return variant i's loss minus the baseline's, in nats per token."""
        pairs = list(zip(self.first_pass(0), self.first_pass(i), strict=True))
        mean_tokens = sum(block.tokens for block, _ in pairs) / len(pairs)
        deltas = [(variant.nll - baseline.nll) / mean_tokens for baseline, variant in pairs]
        return mean_interval(deltas, self.spec.seed)

    def is_sure(self) -> bool:
        """Tell whether every speed-up is as certain as the spec's target requires."""
        if self.spec.target is None or len(self.groups or []) < FEWEST_GROUPS_TO_STOP:
            return False
        wanted = math.log1p(self.spec.target)
        others = range(1, len(self.blocks))
        return all(self.speedup(i).relative_half_width <= wanted for i in others)

    def to_json(self) -> dict:
        """Return machine, protocol, rounds, results and warnings as docs/json.md describes them."""
        results = [self._result(i) for i in range(len(self.blocks))]
        protocol = {
            "model": self.spec.model,
            "weights_sha256": self.weights_sha256,
            "text": self.text,
            "tokens": self.tokens,
            **{name: getattr(self.spec, name) for name in OF_PROTOCOL},
        }
        optional = {
            "vocabulary_sha256": self.vocabulary_sha256,
            "text_sha256": self.text_sha256,
            "tokens_left_out": self.tokens_left_out,
            "unknown": self.unknown,
            "weights_read": self.weights_read,
        }
        protocol.update({key: value for key, value in optional.items() if value})
        machine = {**self.machine, "load_1min_end": load_now()}
        return {
            "machine": machine,
            "protocol": protocol,
            "rounds": len(self.blocks[0]),
            **({} if self.groups is None else {"groups": list(self.groups)}),
            "results": results,
            "warnings": [
                *disturbances(results),
                *([RANDOM] if random_hidden(self.spec.model) else []),
                *self.reading_warnings,
            ],
        }

    @property
    def reading_warnings(self) -> list[str]:
        """Warnings about how the text was read."""
        found = unknown_warnings(self.unknown) if self.unknown else []
        return [*found, *([left_out(self.tokens_left_out)] if self.tokens_left_out else [])]

    def _result(self, i: int) -> dict:
        first_pass, blocks = Evaluation.of(self.first_pass(i)), self.blocks[i]
        # All figures of time come from the same rounds as the speed-up, given for one pass.
        timed = first_pass if self.groups is None else Evaluation.of(blocks)
        passes = timed.tokens / first_pass.tokens
        speedup = self.speedup(i)
        switches = [block.switches for block in blocks if block.switches is not None]
        return {
            "variant": self.spec.variants[i],
            "label": self.labels[i],
            "size_bytes": self.sizes[i],
            "loss": first_pass.loss,
            "loss_known": first_pass.loss_known,
            "perplexity": first_pass.perplexity,
            "elapsed_s": timed.wall_s / passes,
            "cpu_s": timed.cpu_s / passes,
            "tokens_per_s": timed.tokens_per_s,
            "speedup": speedup.value,
            "speedup_ci95": _ends(speedup, i),
            # Not the interval's value, which differs from the losses shown in the last digits.
            "loss_delta": first_pass.loss - Evaluation.of(self.first_pass(0)).loss,
            "loss_delta_ci95": _ends(self.loss_delta(i), i),
            "verdict": verdict(speedup) if i else "baseline",
            "spread": spread([block.wall_s / block.tokens for block in blocks]),
            "cpu_share": sum(block.cpu_s for block in blocks)
            / sum(block.wall_s for block in blocks),
            "context_switches": sum(switches) if switches else None,
            **self._on_request(i),
            "blocks": [
                {"tokens": block.tokens, "wall_s": block.wall_s, "cpu_s": block.cpu_s}
                for block in blocks
            ],
        }

    def _on_request(self, i: int) -> dict:
        """Return what the spec asks for besides: None until it is measured."""
        asked = {}
        if self.spec.agreement and i in self.compared:
            asked["agreement"] = self.agreements.get(i)
        if self.spec.memory:
            memory = self.memories.get(i)
            asked["memory"] = memory and asdict(memory)
        return asked


def _ends(interval: Interval, i: int) -> list[float] | None:
    """Return an interval's ends for JSON; None for the baseline, and if there are too few
    rounds."""
    known = i > 0 and math.isfinite(interval.low) and math.isfinite(interval.high)
    return [interval.low, interval.high] if known else None


def count_unknown(unknown: Tensor, recomposed: Tensor, line_ends: bool) -> dict:
    """Return how many of the tokens read are unknown words (True in `unknown`), their share, and
    whether line ends are among them; also how many of them are known only with their accents
    composed differently (True in `recomposed`), if there are any."""
    tokens = int(unknown.sum())
    found = {"tokens": tokens, "share": tokens / unknown.numel(), "line_ends": line_ends}
    number = int(recomposed.sum())
    return {**found, "recomposed": number} if number else found
