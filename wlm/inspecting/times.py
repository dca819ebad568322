"""Where a pass spends its time: embedding, LSTM, decoder and loss, timed in turn.

Variants, and passes over a chunk and over one word, take turns in random order.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import ClassVar

from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.errors import check_range
from wlm.inspecting.passes import timed_passes
from wlm.inspecting.roofline import MODULES, Roofline, Work, measure_roofline, precisions, work
from wlm.measuring.evaluate import (
    DEFAULT_BPTT,
    DEFAULT_THREADS,
    check_bptt,
    check_threads,
    thread_count,
)
from wlm.measuring.intervals import spread
from wlm.measuring.machine import describe_machine, load_now
from wlm.measuring.rounds import rounds
from wlm.measuring.spec import VariantSettings
from wlm.measuring.wording import MOST_SPREAD, busy
from wlm.model.lstm import ModelConfig
from wlm.progress import Progress
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify

BLOCK_SECONDS = 0.1
WARM_UP_PASSES = 4
DEFAULT_SECONDS = 6.0


@dataclass(frozen=True)
class InspectSpec(VariantSettings):
    """What to time: variants (the first is the baseline), model, text, chunk length, threads, and
    seconds of measured time over all variants. seed: of the order within rounds. A bare weights
    file needs `vocabulary` or `corpus`, see `load_checkpoint`.

    Raises SettingError or VariantError.
    """

    kind: ClassVar[str] = "inspect"
    words: ClassVar[str] = "an inspection"
    preparation_seconds: ClassVar[float] = 6.0

    variants: tuple[str, ...] = ("fp32", "int8")
    model: str = DEFAULT_MODEL
    text: str = DEFAULT_TEXT
    bptt: int = DEFAULT_BPTT
    threads: int = DEFAULT_THREADS
    seconds: float = DEFAULT_SECONDS
    seed: int = 1
    vocabulary: str | None = None
    corpus: str | None = None

    def __post_init__(self):
        self._shorten_names()
        check_bptt(self.bptt)
        check_threads(self.threads)
        check_range("seconds", self.seconds, 0.1, 3_600.0)
        check_range("seed", self.seed, 0, 2**63 - 1)


@dataclass
class ModuleTimes:
    """What has been measured so far: for each variant and pass length in tokens, one list a round
    of the median seconds of each module."""

    spec: InspectSpec
    text: str
    config: ModelConfig
    roofline: Roofline
    rounds: dict[tuple[str, int], list[list[float]]]
    machine: dict = field(default_factory=describe_machine)

    def to_json(self) -> dict:
        """Return machine, protocol, roofline, rounds, results and warnings as docs/json.md
        describes them."""
        results = [self._result(name) for name in self.spec.variants]
        settings = self.spec.to_json()
        protocol = {key: settings[key] for key in ("model", "bptt", "threads", "seconds", "seed")}
        return {
            "machine": {**self.machine, "load_1min_end": load_now()},
            "protocol": {**protocol, "text": self.text},
            "roofline": asdict(self.roofline),
            "rounds": min(map(len, self.rounds.values())),
            "results": results,
            "warnings": _warnings(results),
        }

    def _result(self, name: str) -> dict:
        variant = Variant.parse(name)
        passes = [self._pass(variant, tokens) for tokens in pass_lengths(self.spec)]
        return {"variant": name, "label": variant.label, "passes": passes}

    def _pass(self, variant: Variant, tokens: int) -> dict:
        rounds = self.rounds[str(variant), tokens]
        of_module = work(self.config, variant, tokens)
        times = list(zip(*rounds, strict=True))
        modules = [
            self._module(name, of_module[name], precisions(variant).get(name), seconds)
            for name, seconds in zip(MODULES, times, strict=True)
        ]
        return {
            "tokens": tokens,
            "seconds": sum(each["seconds"] for each in modules),
            "spread": spread([sum(each) for each in rounds]),
            "modules": modules,
        }

    def _module(
        self, name: str, to_do: Work, precision: str | None, times: Sequence[float]
    ) -> dict:
        seconds, multiplies = statistics.median(times), to_do.multiply_adds > 0
        intensity, speed = to_do.ops_per_byte, to_do.operations / seconds
        return {
            "module": name,
            "precision": precision,
            "seconds": seconds,
            "spread": spread(times),
            "multiply_adds": to_do.multiply_adds,
            "bytes_moved": to_do.bytes_moved,
            "ops_per_s": speed,
            "ops_per_byte": intensity,
            "memory_bound": self.roofline.is_memory_bound(intensity, precision)
            if multiplies
            else None,
            "roof_share": speed / self.roofline.roof(intensity, precision) if multiplies else None,
        }


def pass_lengths(spec: InspectSpec) -> list[int]:
    """Return the lengths in tokens of the passes that are timed: a chunk's, and one word."""
    return list(dict.fromkeys((spec.bptt, 1)))


def _warnings(results: list[dict]) -> list[str]:
    """What a reader should know before trusting the times, in sentences."""
    worst, label, tokens = max(
        (one["spread"], result["label"], one["tokens"])
        for result in results
        for one in result["passes"]
    )
    if worst <= MOST_SPREAD:
        return []
    read = "one word" if tokens == 1 else f"chunks of {tokens}"
    return [busy("rounds", f"up to {worst:.0%} ({label}, {read})")]


def inspect(spec: InspectSpec) -> Iterator[Progress]:
    """Load, measure the roofline, warm up and time, yielding after each step; the last progress is
    complete. Closing the generator keeps what it yielded last.

    Raises WLMError.
    """
    yield Progress("Loading the model", 0.0, spec.most_seconds)
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    text = open_text(spec.text, checkpoint.vocabulary)
    data = batchify(text.ids, 1)  # (N, 1)
    chunk = "the chunk length"
    check_range(chunk, spec.bptt, 1, len(data) - 1, hint=f"{text.name!r} has {len(data):,} tokens")

    streams: dict[tuple[str, int], Iterator[list[float]]] = {}
    for variant in map(Variant.parse, dict.fromkeys(spec.variants)):
        yield Progress(f"Preparing {variant.label}", 0.0, spec.seconds + 5.0)
        model = prepare(checkpoint.model, variant, spec.threads)
        for tokens in pass_lengths(spec):
            streams[str(variant), tokens] = timed_passes(model, data, tokens)

    yield Progress("Measuring the machine", 0.0, spec.seconds + 4.0)
    with thread_count(spec.threads):
        roofline = measure_roofline()
    yield Progress("Warming up", 0.0, spec.seconds + 1.0)
    with thread_count(spec.threads):
        passes = {each: _passes_per_block(stream) for each, stream in streams.items()}
    blocks = {each: _blocks(streams[each], passes[each], spec.threads) for each in streams}

    times = ModuleTimes(
        spec, text.name, checkpoint.model.config, roofline, {each: [] for each in streams}
    )
    measured = 0.0
    for taken in rounds(blocks, spec.seed):
        # A round is kept whole or, if it is interrupted, not at all.
        for each, block in taken.items():
            times.rounds[each].append(
                [statistics.median(module) for module in zip(*block, strict=True)]
            )
            measured += sum(map(sum, block))
        done = min(1.0, measured / spec.seconds)
        yield Progress("Measuring", done, max(0.0, spec.seconds - measured), times)
        if done >= 1.0:
            return


def _blocks(
    stream: Iterator[list[float]], passes: int, threads: int
) -> Iterator[list[list[float]]]:
    """Yield passes in blocks of so many; the thread count holds only while one is measured."""
    while True:
        with thread_count(threads):
            block = list(islice(stream, passes))
        yield block


def _passes_per_block(stream: Iterator[list[float]]) -> int:
    """Warm up; return how many passes take BLOCK_SECONDS."""
    *_, last = islice(stream, WARM_UP_PASSES)
    return max(1, round(BLOCK_SECONDS / sum(last)))
