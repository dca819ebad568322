"""The job that measures the memory of several variants, one after the other."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from wlm.catalog.open import open_model
from wlm.measuring.memory import CHUNK, SECONDS, Memory, memory_steps
from wlm.measuring.spec import VariantSettings
from wlm.progress import Measured, Progress
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import Checkpoint


@dataclass(frozen=True)
class MemorySpec(VariantSettings):
    """Which variants of which model to measure the memory of. Raises SettingError or
    VariantError."""

    kind: ClassVar[str] = "memory"
    words: ClassVar[str] = "a measurement of memory"
    threads: ClassVar[int] = 1
    bptt: ClassVar[int] = CHUNK
    seconds: ClassVar[None] = None  # each variant takes as long as it takes

    @property
    def most_seconds(self) -> float:
        """Return about how long the measurement takes if no variant was measured before."""
        return self.preparation_seconds + SECONDS * len(self.variants)


@dataclass
class Memories:
    """The memory of a spec's variants measured up to now, by the variants' positions."""

    spec: MemorySpec
    found: dict[int, Memory] = field(default_factory=dict)

    def to_json(self) -> dict:
        """Return the measurements as docs/json.md describes them."""
        names = self.spec.variants
        return {
            "results": [
                {
                    "variant": names[i],
                    "label": Variant.parse(names[i]).label,
                    "memory": asdict(found),
                }
                for i, found in self.found.items()
            ]
        }


def measure_memory(spec: MemorySpec) -> Iterator[Progress]:
    """Measure the memory of a model's variants one after the other; the last progress is complete.

    Raises WLMError.
    """
    yield Progress("Loading the model", 0.0)
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    memories = Memories(spec)
    yield from add_memories(memories.found, spec, checkpoint, memories)


def add_memories(
    found: dict[int, Memory], spec: VariantSettings, checkpoint: Checkpoint, measured: Measured
) -> Iterator[Progress]:
    """Add the memory of every variant of a job's settings to `found`, by its position. The progress
    carries `measured`."""
    variants = [Variant.parse(name) for name in spec.variants]
    for i, variant in enumerate(variants):
        began, left = time.monotonic(), SECONDS * (len(variants) - i)
        opened = spec.model, spec.vocabulary, spec.corpus
        for memory in memory_steps(checkpoint, variant, *opened):
            if memory:
                found[i] = memory
            done = (i + bool(memory)) / len(variants)
            seconds_left = left - (time.monotonic() - began)
            stage = f"Measuring the memory of {variant.label}"
            # On a slow machine it takes longer than the estimate, which then says nothing.
            yield Progress(stage, done, seconds_left if seconds_left > 0 else None, measured)
