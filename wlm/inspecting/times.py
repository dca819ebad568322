"""Where a pass spends its time: embedding, LSTM, decoder and loss, timed in turn.

Variants, and passes over a chunk and over one word, take turns in random order.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice, pairwise
from operator import itemgetter
from typing import ClassVar

import torch
from torch import Tensor

from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.errors import check_range
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
from wlm.quantization.prepare import PreparedModel, prepare
from wlm.quantization.variant import Variant
from wlm.text.corpus import batchify, get_batch

BLOCK_SECONDS = 0.1
WARM_UP_PASSES = 4
DEFAULT_SECONDS = 6.0


@dataclass(frozen=True)
class InspectSpec(VariantSettings):
    """What to time: variants (the first is the baseline), model, text, chunk length, threads, and
    seconds of measured time over all variants. seed: of the order within rounds.

    Raises SettingError or VariantError.
    """

    kind: ClassVar[str] = "inspect"
    words: ClassVar[str] = "an inspection"
    preparation_seconds: ClassVar[float] = 6.0

    text: str = DEFAULT_TEXT
    bptt: int = DEFAULT_BPTT
    threads: int = DEFAULT_THREADS
    seconds: float = DEFAULT_SECONDS
    seed: int = 1

    def __post_init__(self):
        super().__post_init__()
        check_bptt(self.bptt)
        check_threads(self.threads)
        check_range("seconds", self.seconds, 0.1, 3_600.0)
        check_range("seed", self.seed, 0, 2**63 - 1)


@dataclass
class ModuleTimes:
    """The measured times up to now: by variant and pass length in tokens, one list per round of the
    modules' median seconds."""

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
        roofline = _put_under_the_roof(results, self.roofline)
        settings = self.spec.to_json()
        protocol = {key: settings[key] for key in ("model", "bptt", "threads", "seconds", "seed")}
        return {
            "machine": {**self.machine, "load_1min_end": load_now()},
            "protocol": {**protocol, "text": self.text},
            "roofline": asdict(roofline),
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
            _module(name, of_module[name], precisions(variant).get(name), seconds)
            for name, seconds in zip(MODULES, times, strict=True)
        ]
        return {
            "tokens": tokens,
            "seconds": sum(module["seconds"] for module in modules),
            "spread": spread([sum(modules) for modules in rounds]),
            "modules": modules,
        }


def _module(name: str, to_do: Work, precision: str | None, times: Sequence[float]) -> dict:
    seconds = statistics.median(times)
    return {
        "module": name,
        "precision": precision,
        "seconds": seconds,
        "spread": spread(times),
        "multiply_adds": to_do.multiply_adds,
        "bytes_moved": to_do.bytes_moved,
        "ops_per_s": to_do.operations / seconds,
        "ops_per_byte": to_do.ops_per_byte,
        "bound_by": None,
        "roof_share": None,
    }


_speed_of = itemgetter("ops_per_byte", "precision", "ops_per_s")


def _put_under_the_roof(results: list[dict], roofline: Roofline) -> Roofline:
    """Set what limits each module that multiplies, and its speed as a share of that limit. Return
    the roofline, raised to the modules that pass it."""
    modules = [m for result in results for timed in result["passes"] for m in timed["modules"]]
    multiplying = [module for module in modules if module["multiply_adds"]]
    for module in multiplying:
        roofline = roofline.raised(*_speed_of(module))
    for module in multiplying:
        module["bound_by"], roof = roofline.limit(*_speed_of(module))
        module["roof_share"] = module["ops_per_s"] / roof
    return roofline


def pass_lengths(spec: InspectSpec) -> list[int]:
    """Return the lengths in tokens of the passes that are timed: a chunk's, and one word."""
    return list(dict.fromkeys((spec.bptt, 1)))


def _warnings(results: list[dict]) -> list[str]:
    """Return sentences about why the times may not be trustworthy."""
    worst, label, tokens = max(
        (timed["spread"], result["label"], timed["tokens"])
        for result in results
        for timed in result["passes"]
    )
    if worst <= MOST_SPREAD:
        return []
    read = "one word" if tokens == 1 else f"chunks of {tokens}"
    return [busy("rounds", f"up to {worst:.0%} ({label}, {read})")]


def inspect(spec: InspectSpec) -> Iterator[Progress]:
    """Load, measure the roofline, warm up and time, yielding after each step; the last progress is
    complete. If the generator is closed, the progress that it yielded last stays valid.

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
        passes = {key: _passes_per_block(stream) for key, stream in streams.items()}
    blocks = {key: _blocks(streams[key], passes[key], spec.threads) for key in streams}

    times = ModuleTimes(
        spec, text.name, checkpoint.model.config, roofline, {key: [] for key in streams}
    )
    measured = 0.0
    for taken in rounds(blocks, spec.seed):
        # A round is kept whole or, if it is interrupted, not at all.
        for key, block in taken.items():
            times.rounds[key].append(
                [statistics.median(module) for module in zip(*block, strict=True)]
            )
            measured += sum(map(sum, block))
        done = min(1.0, measured / spec.seconds)
        yield Progress("Measuring", done, max(0.0, spec.seconds - measured), times)
        if done >= 1.0:
            return


def timed_passes(model: PreparedModel, data: Tensor, tokens: int) -> Iterator[list[float]]:
    """Yield the seconds of embedding, LSTM, decoder and loss for every pass over `tokens` words of
    batchified ids (N, 1), again and again, with the hidden state of the pass before.

    The clock is read between the modules of one pass, so that the caches are as in use.
    """
    modules = model.modules()
    while True:
        hidden = model.init_hidden(1)
        for i in range(0, len(data) - tokens, tokens):
            input, targets = get_batch(data, i, tokens)
            with torch.inference_mode():
                clock = [time.perf_counter()]
                embedded = modules.embedding(input)
                clock.append(time.perf_counter())
                output, hidden = modules.lstm(embedded, hidden)
                clock.append(time.perf_counter())
                logits = modules.decoder(output)
                clock.append(time.perf_counter())
                modules.loss(logits, targets)
                clock.append(time.perf_counter())
            yield [after - before for before, after in pairwise(clock)]


def _blocks(
    stream: Iterator[list[float]], passes: int, threads: int
) -> Iterator[list[list[float]]]:
    """Yield passes in blocks; the thread count holds only while a block is measured."""
    while True:
        with thread_count(threads):
            block = list(islice(stream, passes))
        yield block


def _passes_per_block(stream: Iterator[list[float]]) -> int:
    """Warm up; return how many passes take BLOCK_SECONDS."""
    *_, last = islice(stream, WARM_UP_PASSES)
    return max(1, round(BLOCK_SECONDS / sum(last)))
