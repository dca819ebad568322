"""Speed of our generator and the tutorial's loop, and of the ways to draw a word.

    python -m benchmarks.sampling [--rounds N] [--words N]

All loops draw the same number of words from the same model per round, in random order, in one
process and on one thread. A ratio is the geometric mean over rounds with its 95% interval. Takes
about a minute and a half.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import islice

import torch

from wlm.catalog.open import open_model
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.measuring.intervals import ratio_interval
from wlm.measuring.machine import describe_machine
from wlm.measuring.rounds import rounds
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant
from wlm.sampling.draws import DRAWS
from wlm.sampling.words import MAX_WORDS, SampleSettings, sample_words

VARIANTS = ("fp32", "int8")
LOOPS = ("tutorial", *DRAWS)


def tutorial_words(model, words: list[str], temperature: float) -> Iterator[str]:
    """The tutorial's generator (section 3), pausing after each word."""
    input_ = torch.randint(len(words), (1, 1), dtype=torch.long)
    hidden = model.init_hidden(1)
    while True:
        with torch.no_grad():
            output, hidden = model(input_, hidden)
            word_weights = output.squeeze().div(temperature).exp().cpu()
            word_idx = torch.multinomial(word_weights, 1)[0]
            input_.fill_(word_idx)
            word = words[word_idx]
        yield word


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--words", type=int, default=5, help="of a block")
    parser.add_argument("--temperature", type=float, default=0.8)
    options = parser.parse_args()

    torch.set_num_threads(1)
    checkpoint = open_model(DEFAULT_MODEL)
    vocabulary = checkpoint.vocabulary
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, torch {machine['torch']}")
    print(
        f"{options.rounds} rounds of {options.words} words, temperature {options.temperature:g}, "
        "one thread\n"
    )

    def stream(model, loop: str) -> Iterator:
        if loop == "tutorial":
            return tutorial_words(model, vocabulary.words, options.temperature)
        settings = SampleSettings(temperature=options.temperature, draw=loop)
        return sample_words(model, vocabulary, settings, MAX_WORDS)

    for name in VARIANTS:
        model = quantize(checkpoint.model, Variant.parse(name))
        seconds = take_turns({loop: stream(model, loop) for loop in LOOPS}, options)
        print(name)
        for loop in LOOPS:
            per_word = sum(seconds[loop]) / (options.rounds * options.words)
            print(
                f"  {loop:12}{1e3 * per_word:8.3f} ms per word{1 / per_word:8.0f} words/s", end=""
            )
            if loop != "tutorial":
                ratio = ratio_interval(seconds[loop], seconds["tutorial"])
                print(
                    f"   {ratio.value:.3f} times the tutorial's time "
                    f"({ratio.low:.3f} to {ratio.high:.3f})",
                    end="",
                )
            print()
    draw_alone(len(vocabulary), options)


def take_turns(streams: dict[str, Iterator], options) -> dict[str, list[float]]:
    """Return each stream's seconds per block, round by round."""

    def block(stream: Iterator) -> Callable[[], None]:
        return lambda: [next(stream) for _ in range(options.words)]

    return timed({name: block(stream) for name, stream in streams.items()}, options.rounds)


def timed(blocks: dict[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Return each block's seconds, round by round, in random order within a round."""

    def stream(block: Callable[[], object]) -> Iterator[float]:
        while True:
            start = time.perf_counter()
            block()
            yield time.perf_counter() - start

    streams = {name: stream(block) for name, block in blocks.items()}
    for generator in streams.values():
        next(generator)  # warm up
    taken = list(islice(rounds(streams, seed=1), count))
    return {name: [block[name] for block in taken] for name in blocks}


def draw_alone(words: int, options) -> None:
    """Print what a draw costs without the model."""
    generator = torch.Generator().manual_seed(1)
    given = torch.randn(words, generator=generator).mul(3).softmax(0)

    def block(draw) -> Callable[[], None]:
        return lambda: [draw(given, generator) for _ in range(options.words)]

    seconds = timed({name: block(draw) for name, draw in DRAWS.items()}, options.rounds)
    print(f"a draw from {words:,} words")
    for name, times in seconds.items():
        ratio = ratio_interval(times, seconds["multinomial"])
        milliseconds = 1e3 * sum(times) / (options.rounds * options.words)
        print(
            f"  {name:12}{milliseconds:8.3f} ms   {ratio.value:.3f} times multinomial's time "
            f"({ratio.low:.3f} to {ratio.high:.3f})"
        )


if __name__ == "__main__":
    main()
