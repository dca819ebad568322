"""Several variants of one model over the same text, block by block in turn.

Each round reads the next block of the text with every variant, in a random order, so that what the
machine does meanwhile (heat, other programs) falls on all of them alike. A block is about half a
second of the slowest variant: alternating faster would make the small int8 model pay for the
caches that the large fp32 model empties. Before each group of rounds every variant is prepared
again in new memory, because where its weights lie changes its speed.
"""

import copy
import itertools
import math
import time
from collections.abc import Iterator

from torch import Tensor

from wlm.catalog.open import open_model, open_text
from wlm.measuring.agreement import agreement, joined, read_together
from wlm.measuring.comparison import CompareSpec, Comparison, count_unknown
from wlm.measuring.evaluate import Block, BlockReader, evaluate_blocks, thread_count
from wlm.measuring.memories import add_memories
from wlm.measuring.rounds import Step, rounds_in_groups
from wlm.model.lstm import LSTMModel
from wlm.progress import Progress
from wlm.quantization.engines import quiet
from wlm.quantization.prepare import PreparedModel, prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify
from wlm.text.vocabulary import EOS
from wlm.weights.checkpoint import Checkpoint

BLOCK_SECONDS = 0.5
MOST_SHORTENED = 20  # times: the clock and the caches say too much of shorter blocks
WARM_UP_CHUNKS = 4
REPORT_SECONDS = 0.5
MOST_TOGETHER = 4  # variants in memory next to the baseline, while predictions are compared
# Eight groups of two rounds; a short text gets shorter blocks for this. Two, because a preparation
# takes about half a round, and variances within and between groups are about 4 to 1: see
# docs/methodology.md. More groups than MOST_GROUPS gain little, so a long run has longer groups.
FEWEST_ROUNDS, ROUNDS_PER_GROUP, MOST_GROUPS = 16, 2, 24


def compare(spec: CompareSpec, rounds_per_group: int | None = None) -> Iterator[Progress]:
    """Load, prepare and measure, yielding after each step; the last progress is complete.

    Closing the generator stops the comparison; the last progress that it yielded has the
    measurements so far. `rounds_per_group` depends on the amount of text unless it is given.

    Raises WLMError.
    """
    yield Progress("Loading the model", 0.0)
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    text = open_text(spec.text, checkpoint.vocabulary)
    ids = text.first(spec.tokens_to_read(len(text.ids)))
    data = batchify(ids, spec.batch_size)  # (N, B)
    unknown = checkpoint.vocabulary.is_unknown(data)
    recomposed = batchify(text.recomposed[: len(ids)], spec.batch_size)

    variants = [Variant.parse(name) for name in spec.variants]
    sizes: dict[int, int] = {}
    slowest: dict[int, float] = {}  # seconds of a chunk
    readers = [
        BlockReader(data, bptt=spec.bptt, threads=spec.threads, unknown=unknown) for _ in variants
    ]
    comparison, blocks, group_lengths = None, [], None

    def prepare_again(i: int) -> PreparedModel:
        made = _prepare(checkpoint.model, variants[i], spec.threads)
        if i not in sizes:
            sizes[i] = made.saved_bytes
        return made

    def warm_up(i: int, model: PreparedModel) -> None:
        start = data[: spec.bptt + 1]
        for _ in range(WARM_UP_CHUNKS):
            (block,) = evaluate_blocks(model, start, bptt=spec.bptt, threads=spec.threads)
        slowest.setdefault(i, block.wall_s)

    def group_length() -> int:
        nonlocal comparison, blocks, group_lengths
        if comparison is None:
            chunks, seconds = readers[0].chunks, list(slowest.values())
            blocks, group_lengths = plan(spec, data.size(0) - 1, chunks, seconds, rounds_per_group)
            comparison = Comparison(
                spec,
                text.name,
                sizes=[sizes[i] for i in range(len(variants))],
                rounds_per_pass=len(blocks),
                blocks=[[] for _ in variants],
                groups=[],
                weights_sha256=checkpoint.sha256,
                weights_read=checkpoint.weights_read,
                vocabulary_sha256=checkpoint.vocabulary.sha256(),
                text_sha256=text.sha256,
                tokens_left_out=len(ids) - data.numel(),
            )
        return next(group_lengths)

    def take(i: int, model: PreparedModel) -> Block:
        return readers[i].read(model, blocks[len(comparison.blocks[i]) % len(blocks)])

    steps = rounds_in_groups(
        range(len(variants)), prepare_again, warm_up, take, group_length, spec.seed
    )
    started = time.perf_counter()
    for step in steps:
        if comparison is None:
            yield Progress(_stage(step, variants), 0.0)
            continue
        if step.taken:
            _keep(comparison, step)
            # All rows that are read, the first one included, which is not predicted.
            rows = comparison.tokens // spec.batch_size
            ends_unknown = EOS not in checkpoint.vocabulary
            comparison.unknown = count_unknown(unknown[:rows], recomposed[:rows], ends_unknown)
        share = _share_done(comparison, step)
        spent = time.perf_counter() - started
        yield Progress("Measuring", share, spent / share - spent, comparison)
        if share >= 1.0:
            break
    if spec.agreement:
        yield from _compare_predictions(comparison, checkpoint, data)
    if spec.memory:
        yield from add_memories(comparison.memories, spec, checkpoint, comparison)


def _compare_predictions(
    comparison: Comparison, checkpoint: Checkpoint, data: Tensor
) -> Iterator[Progress]:
    """Read the text once more with all variants, untimed, and at most MOST_TOGETHER with the
    baseline at once. A single variant is compared with fp32."""
    spec, stage = comparison.spec, "Comparing predictions"
    variants = [Variant.parse(name) for name in spec.variants]
    baseline = variants[0] if len(variants) > 1 else Variant()
    compared = comparison.compared
    groups = [compared[k : k + MOST_TOGETHER] for k in range(0, len(compared), MOST_TOGETHER)]
    chunks, done = len(groups) * math.ceil((data.size(0) - 1) / spec.bptt), 0
    started = reported = time.perf_counter()
    for group in groups:
        models, pieces = [], []
        for variant in (baseline, *(variants[i] for i in group)):
            yield Progress(f"Preparing {variant.label}", done / chunks, None, comparison)
            models.append(prepare(checkpoint.model, variant, spec.threads))
        for found in read_together(models, data, bptt=spec.bptt, threads=spec.threads):
            pieces.append(found)
            done += 1
            if (now := time.perf_counter()) - reported > REPORT_SECONDS:
                share, reported = done / chunks, now
                left = (now - started) * (1 / share - 1)
                yield Progress(stage, min(share, 0.99), left, comparison)
        for i, own in zip(group, zip(*pieces, strict=True), strict=True):
            comparison.agreements[i] = agreement(joined(own), data, checkpoint.vocabulary.words)
    yield Progress(stage, 1.0, 0.0, comparison)


def _prepare(model: LSTMModel, variant: Variant, threads: int) -> PreparedModel:
    """Return a variant whose weights are in separate memory."""
    # Otherwise, modules that PyTorch leaves in fp32 would share memory with the model; ONNX Runtime
    # copies. More threads than CPUs that the process can use would wait for each other.
    with thread_count(threads):
        with quiet():  # PyTorch warns of its own way to copy quantized tensors
            own = copy.deepcopy(model) if variant.runtime == "pytorch" else model
        return prepare(own, variant, threads)


def _stage(step: Step, variants: list[Variant]) -> str:
    if step.preparing is None:
        return "Warming up"
    return f"Preparing {variants[step.preparing].label}"


def _keep(comparison: Comparison, step: Step) -> None:
    """Add a round to a comparison."""
    for i, block in step.taken.items():
        comparison.blocks[i].append(block)
    if step.group == len(comparison.groups):
        comparison.groups.append(0)
    comparison.groups[step.group] += 1


def _share_done(comparison: Comparison, step: Step) -> float:
    """Return the share of a comparison that is done; 1 only after a group, or at the text's end."""
    spec = comparison.spec
    share = len(comparison.blocks[0]) / comparison.rounds_per_pass
    if spec.seconds is None:
        return 1.0 if step.is_last and comparison.is_sure() else share
    if step.is_last and share >= 1.0 and comparison.is_sure():
        return 1.0
    measured = sum(block.wall_s for blocks in comparison.blocks for block in blocks)
    share = min(share, measured / spec.seconds, 1.0)
    return share if share < 1.0 or step.is_last else 0.99


def plan(
    spec: CompareSpec,
    rows: int,
    chunks: int,
    seconds_per_chunk: list[float],
    rounds_per_group: int | None = None,
) -> tuple[list[int], Iterator[int]]:
    """Return how to read a text of this many rows and chunks: the chunks of each block of a pass,
    and the rounds of each group. `seconds_per_chunk` has a number per variant.

    If a text is read once, its groups differ in length by one round at most.
    """
    slowest, pass_seconds = max(seconds_per_chunk), chunks * sum(seconds_per_chunk)
    passes = 1.0 if spec.seconds is None else max(1.0, spec.seconds / pass_seconds)
    # Each block has a whole chunk, so that none is much shorter than the others.
    whole = max(1, rows // spec.bptt)
    fewest = chunks * slowest / BLOCK_SECONDS  # rounds
    count = min(FEWEST_ROUNDS / passes, MOST_SHORTENED * fewest)
    if spec.seconds is None or spec.tokens is not None:  # else the blocks are short enough
        count = max(count, fewest)
    count = min(whole, math.ceil(count))
    blocks = _shares(whole, count)
    blocks[-1] += chunks - whole
    if rounds_per_group is None:
        total = count * passes
        rounds_per_group = 1 if total < 10 else ROUNDS_PER_GROUP
        if spec.target is None:  # else it ends when sure
            rounds_per_group = max(rounds_per_group, math.ceil(total / MOST_GROUPS))
    if spec.seconds is not None:
        return blocks, itertools.repeat(rounds_per_group)
    return blocks, iter(_shares(count, math.ceil(count / rounds_per_group)))


def _shares(total: int, count: int) -> list[int]:
    """Return `count` whole numbers that add up to a total, as equal as possible."""
    ends = [total * k // count for k in range(count + 1)]
    return [end - start for start, end in itertools.pairwise(ends)]
