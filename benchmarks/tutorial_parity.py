"""Our evaluation and the tutorial's loop: difference of the losses, and extra time of ours.

    python -m benchmarks.tutorial_parity --text wikitext-2/test.txt [--tokens N]

Both loops run fp32 and int8 over the same tokens, in blocks of about half a second. The order in
a round is random; everything runs in one process and on one thread. WikiText-2's whole test set
takes about seven minutes on a server CPU.
"""

import argparse
import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.measuring.evaluate import evaluate_blocks
from wlm.measuring.machine import describe_machine
from wlm.measuring.rounds import rounds
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify

BPTT = 25
CHUNKS = 40  # a block: about half a second of fp32
VARIANTS = ("fp32", "int8")


def tutorial_evaluate(model: nn.Module, data_source: Tensor) -> Iterator[tuple[float, float]]:
    """The tutorial's evaluate (section 4), pausing after each block: summed loss, seconds."""

    def get_batch(source, i):
        seq_len = min(BPTT, len(source) - 1 - i)
        data = source[i : i + seq_len]
        target = source[i + 1 : i + 1 + seq_len].reshape(-1)
        return data, target

    def repackage_hidden(h):
        if isinstance(h, Tensor):
            return h.detach()
        return tuple(repackage_hidden(v) for v in h)

    criterion = nn.CrossEntropyLoss()
    ntokens = model.config.ntoken
    model.eval()
    hidden = model.init_hidden(1)
    starts = range(0, data_source.size(0) - 1, BPTT)
    for first in range(0, len(starts), CHUNKS):
        total_loss, begin = 0.0, time.perf_counter()
        with torch.no_grad():
            for i in starts[first : first + CHUNKS]:
                data, targets = get_batch(data_source, i)
                output, hidden = model(data, hidden)
                hidden = repackage_hidden(hidden)
                output_flat = output.view(-1, ntokens)
                total_loss += len(data) * criterion(output_flat, targets).item()
        yield total_loss, time.perf_counter() - begin


def our_evaluate(model: nn.Module, data: Tensor) -> Iterator[tuple[float, float]]:
    """wlm's evaluate_blocks, in the same form."""
    for block in evaluate_blocks(model, data, bptt=BPTT, threads=1, chunks_per_block=CHUNKS):
        yield block.nll, block.wall_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", default=DEFAULT_TEXT)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(1)
    checkpoint = open_model(DEFAULT_MODEL)
    text = open_text(options.text, checkpoint.vocabulary)
    ids = text.first(options.tokens)
    data = batchify(ids, 1)
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, torch {machine['torch']}")
    print(f"{len(ids):,} tokens of {text.name}, batch size 1, chunks of {BPTT}, one thread\n")

    loops = {"tutorial": tutorial_evaluate, "wlm": our_evaluate}
    models = {name: quantize(checkpoint.model, Variant.parse(name)) for name in VARIANTS}
    keys = [(loop, variant) for variant in VARIANTS for loop in loops]
    for loop, variant in keys:  # warm up
        next(loops[loop](models[variant], data[: 4 * BPTT]))
    streams = {(loop, variant): loops[loop](models[variant], data) for loop, variant in keys}
    taken = list(rounds(streams, options.seed))
    blocks = {key: [block[key] for block in taken] for key in keys}

    loss = {key: sum(nll for nll, _ in block) / (len(ids) - 1) for key, block in blocks.items()}
    elapsed = {key: sum(seconds for _, seconds in block) for key, block in blocks.items()}
    print(f"{'':10}{'loss':>10}{'elapsed (s)':>14}")
    for loop, variant in keys:
        key = loop, variant
        print(f"{variant:5}{loop:9}{loss[key]:.6f}{elapsed[key]:12.2f}")
    print()
    for variant in VARIANTS:
        ours, theirs = blocks["wlm", variant], blocks["tutorial", variant]
        logs = [math.log(a / b) for (_, a), (_, b) in zip(ours, theirs, strict=True)]
        mean = sum(logs) / len(logs)
        spread = math.sqrt(sum((ratio - mean) ** 2 for ratio in logs) / max(1, len(logs) - 1))
        error = 1.96 * spread / math.sqrt(len(logs))
        difference = abs(loss["wlm", variant] - loss["tutorial", variant])
        print(
            f"{variant}: losses differ by {difference:.1e}, our loop takes "
            f"{math.expm1(mean):+.2%} (± {error:.2%}) compared with the tutorial's"
        )
    for loop in loops:
        ratio = elapsed[loop, "fp32"] / elapsed[loop, "int8"]
        print(f"int8 is {ratio:.2f} times as fast as fp32 by the {loop} loop")


if __name__ == "__main__":
    main()
