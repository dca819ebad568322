"""How much faster than the tutorial's int8: every variant, evaluating and writing.

    python -m benchmarks.runtimes --text wikitext-2 [--tokens N] [--words 1000]

All variants read the same text and write words, block by block in turn, in one process and on one
thread. Ratios are geometric means over rounds with their 95% intervals. The tutorial's variants
draw words with torch.multinomial, as the tutorial does; the others use the inverse cumulative
distribution. WikiText-2's whole test set takes about a quarter of an hour.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import torch

from wlm.catalog.open import open_model
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.intervals import Interval, ratio_interval
from wlm.measuring.machine import describe_machine, pinned
from wlm.measuring.rounds import rounds
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant
from wlm.sampling.words import SampleSettings, sample_words

TUTORIAL = ("fp32", "int8")
OTHERS = (
    "pytorch:lstm=int8,linear=int8,embedding=int8",
    "pytorch:lstm=fp16,linear=fp16",
    "onnxruntime:",
    "onnxruntime:lstm=int8,linear=int8,embedding=int8",
    "onnxruntime:lstm=int8-channel,linear=int8-channel,embedding=int8",
    "onnxruntime:lstm=int8,linear=int4,embedding=int4",
)
BLOCK_WORDS = 50  # shorter blocks would have the small models pay for the caches that fp32 empties
SAME_LOSS = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", default=DEFAULT_TEXT)
    parser.add_argument("--tokens", type=int, help="only the text's first tokens")
    parser.add_argument("--words", type=int, default=1000, help="to write with each variant")
    options = parser.parse_args()
    machine = describe_machine()
    print(
        f"{machine['cpu']} ({', '.join(machine['cpu_flags'])}), {machine['cpus']} CPUs, "
        f"{machine['os']}, torch {machine['torch']}, one thread"
    )
    names = [*TUTORIAL, *(name for name in OTHERS if not why_unavailable(Variant.parse(name)))]
    with pinned(1):
        evaluate(names, options.text, options.tokens)
        write(names, options.words)


def evaluate(names: Sequence[str], text: str, tokens: int | None) -> None:
    """Print loss, size and speed of reading a text."""
    for progress in compare(CompareSpec(tuple(names), text=text, tokens=tokens)):
        note(f"{progress.stage}, {progress.done:.0%}, {progress.seconds_left or 0:.0f} s left")
    content = progress.measured.to_json()
    results, protocol = content["results"], content["protocol"]
    print(
        f"\nreading {protocol['tokens']:,} tokens of {protocol['text']}, {content['rounds']} rounds"
    )
    seconds = [[block["wall_s"] for block in result["blocks"]] for result in results]
    for result, own in zip(results, seconds, strict=True):
        print(
            f"{result['label']:24}loss {result['loss']:.4f}  {result['size_bytes'] / 1e6:6.1f} MB  "
            f"{result['elapsed_s']:7.2f} s" + against_the_tutorial(own, seconds)
        )
    good = [result for result in results if result["loss"] - results[0]["loss"] < SAME_LOSS]
    smallest = min(good, key=lambda result: result["size_bytes"])
    print(f"smallest within {SAME_LOSS:g} of fp32's loss: {smallest['label']}, ", end="")
    print(f"{smallest['size_bytes']:,} bytes")
    for warning in content["warnings"]:
        print(f"warning: {warning}")


def write(names: Sequence[str], words: int) -> None:
    """Print the speed of writing words one at a time."""
    checkpoint = open_model(DEFAULT_MODEL)
    torch.set_num_threads(1)
    streams = []
    for name in names:
        draw = "multinomial" if name in TUTORIAL else "inverse-cdf"
        model = prepare(checkpoint.model, Variant.parse(name))
        streams.append(
            sample_words(model, checkpoint.vocabulary, SampleSettings(draw=draw), words + 1)
        )
    for stream in streams:
        next(stream)  # warm up
    seconds: list[list[float]] = [[] for _ in streams]
    for done, taken in enumerate(rounds(dict(enumerate(map(blocks, streams))), seed=1), start=1):
        for i, block_seconds in taken.items():
            seconds[i].append(block_seconds)
        note(f"{done * BLOCK_WORDS} of {words} words")
    print(f"\nWriting {words:,} words, {len(seconds[0])} rounds; last as above:")
    for name, own in zip(names, seconds, strict=True):
        mean = sum(own) / len(own)
        print(
            f"{Variant.parse(name).label:24}{1e3 * mean:7.3f} ms per word  {1 / mean:6,.0f} words/s"
            + against_the_tutorial(own, seconds)
        )


def blocks(stream: Iterator) -> Iterator[float]:
    """Yield the seconds of a word for each block of BLOCK_WORDS, the last of fewer."""
    while True:
        start = time.perf_counter()
        if not (written := len(list(islice(stream, BLOCK_WORDS)))):
            return
        yield (time.perf_counter() - start) / written


def against_the_tutorial(own: list[float], seconds: list[list[float]]) -> str:
    """Return how many times as fast as the tutorial's fp32 and int8."""
    ratios = [ratio_interval(seconds[i], own) for i in range(len(TUTORIAL))]
    return "".join(f"  {shown(ratio):22}" for ratio in ratios).rstrip()


def shown(ratio: Interval) -> str:
    """Return a ratio with its interval."""
    return f"{ratio.value:5.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def note(text: str) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
