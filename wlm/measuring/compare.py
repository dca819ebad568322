"""Several variants of one model over the same text, block by block in turn.

Each round evaluates the next block of the text with every variant, in a random order, so that
what the machine does meanwhile (heat, other programs) falls on all of them alike. A block is
about half a second of the slowest variant: alternating faster would make the small int8 model pay
for the caches that the large fp32 model empties.
"""

import itertools
import math
import time
from collections.abc import Iterator

from torch import Tensor

from wlm.catalog.open import open_model, open_text
from wlm.measuring.comparison import CompareSpec, Comparison, count_unknown
from wlm.measuring.evaluate import Block, evaluate_blocks
from wlm.measuring.rounds import rounds
from wlm.progress import Progress
from wlm.quantization.prepare import PreparedModel, prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify

BLOCK_SECONDS = 0.5
WARM_UP_CHUNKS = 4


def compare(spec: CompareSpec) -> Iterator[Progress]:
    """Load, warm up and measure, yielding after each step; the last progress is complete.

    Closing the generator stops the comparison; what it yielded last holds what was measured.

    Raises WLMError.
    """
    yield Progress("Loading the model", 0.0)
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    text = open_text(spec.text, checkpoint.vocabulary)
    ids = text.first(spec.tokens)
    data = batchify(ids, spec.batch_size)  # (N, B)
    unknown = checkpoint.vocabulary.is_unknown(data)

    made: dict[str, PreparedModel] = {}
    for variant in map(Variant.parse, dict.fromkeys(spec.variants)):
        yield Progress(f"Preparing {variant.label}", 0.0)
        made[str(variant)] = prepare(checkpoint.model, variant, spec.threads)

    yield Progress("Warming up", 0.0)
    seconds_per_chunk = max(_warm_up(made[name], data, spec) for name in made)
    chunks_per_block = max(1, round(BLOCK_SECONDS / seconds_per_chunk))
    comparison = Comparison(
        spec,
        text.name,
        sizes=[made[name].saved_bytes for name in spec.variants],
        rounds_per_pass=math.ceil((data.size(0) - 1) / (chunks_per_block * spec.bptt)),
        blocks=[[] for _ in spec.variants],
        weights_sha256=checkpoint.sha256,
        weights_read=checkpoint.weights_read,
        vocabulary_sha256=checkpoint.vocabulary.sha256(),
        text_sha256=text.sha256,
        tokens_left_out=len(ids) - data.numel(),
    )
    streams = [_passes(made[name], data, spec, chunks_per_block, unknown) for name in spec.variants]
    for progress in _measure(comparison, streams):
        # All rows that are read, the first one included, which is not predicted.
        read = unknown[: comparison.tokens // spec.batch_size]
        comparison.unknown = count_unknown(read, text.ends_unknown)
        yield progress


def _warm_up(model: PreparedModel, data: Tensor, spec: CompareSpec) -> float:
    """Evaluate the text's beginning for nothing; return the seconds of the last chunk."""
    start = data[: spec.bptt + 1]
    blocks = [
        next(evaluate_blocks(model, start, bptt=spec.bptt, threads=spec.threads))
        for _ in range(WARM_UP_CHUNKS)
    ]
    return blocks[-1].wall_s


def _passes(
    model: PreparedModel,
    data: Tensor,
    spec: CompareSpec,
    chunks_per_block: int,
    unknown: Tensor,
) -> Iterator[Block]:
    """Evaluate the text once or, where seconds are the budget, again and again."""
    for _ in itertools.count() if spec.seconds is not None else range(1):
        yield from evaluate_blocks(
            model,
            data,
            bptt=spec.bptt,
            threads=spec.threads,
            chunks_per_block=chunks_per_block,
            unknown=unknown,
        )


def _measure(comparison: Comparison, streams: list[Iterator[Block]]) -> Iterator[Progress]:
    """Take rounds of blocks until the first limit is met."""
    spec, started = comparison.spec, time.perf_counter()
    for done, blocks in enumerate(rounds(dict(enumerate(streams)), spec.seed), start=1):
        # A round is kept whole or, if it is interrupted, not at all.
        for i, block in blocks.items():
            comparison.blocks[i].append(block)
        if spec.seconds is None:
            share = done / comparison.rounds_per_pass
        else:
            measured = sum(block.wall_s for blocks in comparison.blocks for block in blocks)
            share = min(1.0, measured / spec.seconds)
        spent = time.perf_counter() - started
        seconds_left = spent / share - spent
        if comparison.is_sure():
            share, seconds_left = 1.0, 0.0
        yield Progress("Measuring", share, seconds_left, comparison)
        if share >= 1.0:
            return
