"""Several variants of one model over the same text, block by block in turn.

Each round evaluates the next block of the text with every variant, in a random order, so that
what the machine does meanwhile (heat, other programs) falls on all of them alike. A block is
about half a second of the slowest variant: alternating faster would make the small int8 model pay
for the caches that the large fp32 model empties.
"""

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields

from torch import Tensor

from wlm.assets import DEFAULT_MODEL, DEFAULT_TEXT, find_model, find_text
from wlm.checkpoint import load_checkpoint
from wlm.corpus import batchify, read_text
from wlm.errors import SettingError, check_range
from wlm.evaluate import (
    DEFAULT_BPTT,
    DEFAULT_THREADS,
    Block,
    Evaluation,
    check_bptt,
    check_threads,
    evaluate_blocks,
)
from wlm.machine import describe_machine
from wlm.model import LSTMModel
from wlm.quantize import quantize, saved_bytes
from wlm.variant import Variant

BLOCK_SECONDS = 0.5
WARM_UP_CHUNKS = 4
MAX_VARIANTS = 8


@dataclass(frozen=True)
class CompareSpec:
    """What to compare: variants (the first is the baseline), model, text and protocol.

    tokens: length of the text's beginning that is read, None for all of it; seconds: budget of
    measured time over all variants, None for no limit; the run ends at the first that is met.
    seed: of the order within rounds. A bare weights file needs `vocabulary` or `corpus`, see
    `load_checkpoint`.

    Raises SettingError or VariantError; what depends on the text is checked by `compare`.
    """

    variants: tuple[str, ...] = ("fp32", "int8")
    model: str = DEFAULT_MODEL
    text: str = DEFAULT_TEXT
    tokens: int | None = None
    seconds: float | None = None
    bptt: int = DEFAULT_BPTT
    batch_size: int = 1
    threads: int = DEFAULT_THREADS
    seed: int = 1
    vocabulary: str | None = None
    corpus: str | None = None

    def __post_init__(self):
        check_range("the number of variants", len(self.variants), 1, MAX_VARIANTS)
        # Stored by their shortest names, so that equal variants compare equal.
        names = tuple(str(Variant.parse(name)) for name in self.variants)
        object.__setattr__(self, "variants", names)
        if self.tokens is not None:
            check_range("tokens", self.tokens, 2, 1_000_000_000)
        if self.seconds is not None:
            check_range("seconds", self.seconds, 0.1, 86_400.0)
        check_bptt(self.bptt)
        check_range("batch_size", self.batch_size, 1, 256)
        check_range("bptt * batch_size", self.bptt * self.batch_size, 1, 10_000)
        check_threads(self.threads)
        check_range("seed", self.seed, 0, 2**63 - 1)

    def to_json(self) -> dict:
        """Return the settings as plain JSON."""
        return {**asdict(self), "variants": list(self.variants)}

    @classmethod
    def from_json(cls, content: dict) -> "CompareSpec":
        """Make a spec of what `to_json` gave. Raises SettingError for unknown settings."""
        if unknown := content.keys() - {each.name for each in fields(cls)}:
            raise SettingError(f"a comparison has no setting {sorted(unknown)[0]!r}")
        return cls(**{**content, "variants": tuple(content["variants"])})


@dataclass
class Comparison:
    """What has been measured so far: one list of blocks per variant, in the spec's order."""

    spec: CompareSpec
    text: str
    sizes: list[int]  # bytes, per variant
    blocks: list[list[Block]] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Return a different label for each variant, even where one is listed twice."""
        labels = [Variant.parse(name).label for name in self.spec.variants]
        seen = [labels[:i].count(label) + 1 for i, label in enumerate(labels)]
        return [
            label if nth == 1 else f"{label} ({nth})"
            for label, nth in zip(labels, seen, strict=True)
        ]

    def to_json(self) -> dict:
        """Return machine, protocol and results as docs/json.md describes them."""
        results = []
        for name, label, size, blocks in zip(
            self.spec.variants, self.labels, self.sizes, self.blocks, strict=True
        ):
            sums = Evaluation.of(blocks)
            results.append(
                {
                    "variant": name,
                    "label": label,
                    "size_bytes": size,
                    "loss": sums.loss,
                    "perplexity": sums.perplexity,
                    "elapsed_s": sums.wall_s,
                    "cpu_s": sums.cpu_s,
                    "tokens_per_s": sums.tokens_per_s,
                    "blocks": [
                        {"tokens": each.tokens, "wall_s": each.wall_s, "cpu_s": each.cpu_s}
                        for each in blocks
                    ],
                }
            )
        predicted = sum(block.tokens for block in self.blocks[0])
        protocol = {
            "model": self.spec.model,
            "text": self.text,
            # Each column's first token is read but not predicted.
            "tokens": predicted + self.spec.batch_size,
            "bptt": self.spec.bptt,
            "batch_size": self.spec.batch_size,
            "threads": self.spec.threads,
            "seed": self.spec.seed,
        }
        return {"machine": describe_machine(), "protocol": protocol, "results": results}


@dataclass(frozen=True)
class Progress:
    """Where a comparison stands: stage in words, share done (0 to 1), seconds left (None where
    unknown), and what has been measured (None before the first round)."""

    stage: str
    done: float
    seconds_left: float | None = None
    comparison: Comparison | None = None


def compare(spec: CompareSpec) -> Iterator[Progress]:
    """Load, warm up and measure, yielding after each step; the last progress is complete.

    Closing the generator stops the comparison; what it yielded last holds what was measured.

    Raises WLMError.
    """
    yield Progress("Loading the model", 0.0)
    name, path = find_text(spec.text)
    checkpoint = load_checkpoint(
        find_model(spec.model), vocabulary=spec.vocabulary, corpus=spec.corpus
    )
    text = read_text(path, checkpoint.vocabulary, name)
    data = batchify(text.first(spec.tokens), spec.batch_size)  # (N, B)

    made: dict[str, tuple[LSTMModel, int]] = {}
    for variant in map(Variant.parse, dict.fromkeys(spec.variants)):
        yield Progress(f"Preparing {variant.label}", 0.0)
        model = quantize(checkpoint.model, variant)
        made[str(variant)] = model, saved_bytes(model)
    models = [made[name][0] for name in spec.variants]

    yield Progress("Warming up", 0.0)
    seconds_per_chunk = max(_warm_up(made[name][0], data, spec) for name in made)
    chunks_per_block = max(1, round(BLOCK_SECONDS / seconds_per_chunk))
    comparison = Comparison(spec, name, [made[name][1] for name in spec.variants])
    yield from _rounds(comparison, models, data, chunks_per_block)


def _warm_up(model: LSTMModel, data: Tensor, spec: CompareSpec) -> float:
    """Evaluate the text's beginning for nothing; return the seconds of the last chunk."""
    start = data[: spec.bptt + 1]
    blocks = [
        next(evaluate_blocks(model, start, bptt=spec.bptt, threads=spec.threads))
        for _ in range(WARM_UP_CHUNKS)
    ]
    return blocks[-1].wall_s


def _rounds(
    comparison: Comparison, models: list[LSTMModel], data: Tensor, chunks_per_block: int
) -> Iterator[Progress]:
    spec = comparison.spec
    streams = [
        evaluate_blocks(
            model,
            data,
            bptt=spec.bptt,
            threads=spec.threads,
            chunks_per_block=chunks_per_block,
        )
        for model in models
    ]
    comparison.blocks = [[] for _ in models]
    order, generator = list(range(len(models))), random.Random(spec.seed)
    rounds = -(-(data.size(0) - 1) // (chunks_per_block * spec.bptt))
    started = time.perf_counter()
    for done in itertools.count(1):
        generator.shuffle(order)
        for i in order:
            comparison.blocks[i].append(next(streams[i]))
        measured = sum(block.wall_s for blocks in comparison.blocks for block in blocks)
        share = done / rounds
        if spec.seconds is not None:
            share = min(1.0, max(share, measured / spec.seconds))
        spent = time.perf_counter() - started
        yield Progress("Measuring", share, spent / share - spent, comparison)
        if share >= 1.0:
            return
