"""The roofline of this machine, and the work of each module: is it bound by memory?

A module that does few operations for each byte that it moves waits for memory, however fast the
arithmetic is. Source: Williams, Waterman and Patterson 2009, "Roofline: an insightful visual
performance model for multicore architectures".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.model.parts import IN_A_PASS
from wlm.quantization.engines import default_engine
from wlm.quantization.prepare import WEIGHT_BYTES
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant

MODULES = (*(part.stage for part in IN_A_PASS), "loss")
ACTIVATION_BYTES = 4
MEMORY_ROWS, CACHE_ROWS, COLUMNS = 65_536, 256, 1_024  # 268 MB, which no cache holds, and 1 MB
# An input's rows and columns, and the product's columns. Which is fastest depends on the machine's
# caches and instructions, so the peak is the best of them.
SHAPES = ((64, 1_024, 1_024), (256, 1_024, 1_024), (512, 512, 512), (1_024, 1_024, 1_024))
SECONDS_PER_CEILING = 0.3


@dataclass(frozen=True)
class Work:
    """What a module has to do for one pass: multiply-adds, and bytes moved between processor and
    memory or caches."""

    multiply_adds: int
    bytes_moved: int

    @property
    def operations(self) -> int:
        """A multiply-add is two operations."""
        return 2 * self.multiply_adds

    @property
    def ops_per_byte(self) -> float:
        """Operations per byte moved: the arithmetic intensity."""
        return self.operations / self.bytes_moved


def work(config: ModelConfig, variant: Variant, tokens: int) -> dict[str, Work]:
    """Return the work of each module for a pass over `tokens` words at batch size 1.

    From shapes alone: a module reads its weights and its input and writes its output. Matrices are
    read once a pass, but an LSTM's recurrent ones once a word, because each word waits for the one
    before. An embedding and the loss multiply nothing that counts.
    """
    V, E, H, L, T = config.ntoken, config.ninp, config.nhid, config.nlayers, tokens  # noqa: N806
    a = ACTIVATION_BYTES
    embedding, lstm, linear = (
        WEIGHT_BYTES[precision] for precision in precisions(variant).values()
    )
    inputs = [E, *[H] * (L - 1)]  # of each layer
    lstm_bytes = sum(
        lstm * 4 * H * i + T * lstm * 4 * H * H + a * 8 * H + a * T * (i + H) for i in inputs
    )
    return {
        "embedding": Work(0, round(T * E * (embedding + a))),
        "LSTM": Work(sum(T * 4 * H * (i + H) for i in inputs), lstm_bytes),
        "decoder": Work(T * V * H, round(linear * V * H) + a * V + a * T * (H + V)),
        "loss": Work(0, a * T * V),
    }


def precisions(variant: Variant) -> dict[str, str]:
    """Return the precision of each module that has weights."""
    return {part.stage: getattr(variant, part.name) for part in IN_A_PASS}


@dataclass(frozen=True)
class Roofline:
    """This machine's measured ceilings: bytes read per second from memory and from its caches, and
    operations per second by precision. int8 is None without a quantized engine, bf16 is None if it
    was not measured."""

    memory_bytes_per_s: float
    cache_bytes_per_s: float
    fp32_ops_per_s: float
    int8_ops_per_s: float | None
    bf16_ops_per_s: float | None = None

    def peak(self, precision: str) -> float:
        """Return the most operations per second; fp16 weights are multiplied in fp32, int4 ones in
        int8."""
        return getattr(self, self._peak_of(precision))

    def limit(self, ops_per_byte: float, precision: str, ops_per_s: float) -> tuple[str, float]:
        """Return what limits such work, "memory", "caches" or "arithmetic", and the most operations
        per second that it allows. Work that is faster than memory allows has its data in caches."""
        peak = self.peak(precision)
        for name, speed in (
            ("memory", self.memory_bytes_per_s),
            ("caches", self.cache_bytes_per_s),
        ):
            roof = ops_per_byte * speed
            if roof < peak and (ops_per_s <= roof or name == "caches"):
                return name, roof
        return "arithmetic", peak

    def raised(self, ops_per_byte: float, precision: str, ops_per_s: float) -> "Roofline":
        """Return the roofline with the ceiling that such work has passed raised to its speed."""
        name, roof = self.limit(ops_per_byte, precision, ops_per_s)
        if ops_per_s <= roof:
            return self
        if name == "caches":
            return replace(self, cache_bytes_per_s=ops_per_s / ops_per_byte)
        return replace(self, **{self._peak_of(precision): ops_per_s})

    def _peak_of(self, precision: str) -> str:
        """Return the name of the peak that holds for a precision: fp32's if its own is unknown."""
        own = {"int": "int8_ops_per_s", "bf1": "bf16_ops_per_s"}.get(precision[:3])
        return own if own and getattr(self, own) else "fp32_ops_per_s"


def measure_roofline() -> Roofline:
    """Measure this machine's ceilings with PyTorch's present thread count, in about 2 seconds.

    Bandwidth: products of a matrix that no cache holds, and of a small one, with a vector. Peaks:
    products of matrices in the sizes of SHAPES, in int8 by PyTorch's dynamic Linear, which includes
    the rounding of its input. Each is the best of several.
    """
    return Roofline(
        memory_bytes_per_s=_bandwidth(MEMORY_ROWS),
        cache_bytes_per_s=_bandwidth(CACHE_ROWS),
        fp32_ops_per_s=_peak(partial(nn.Linear, bias=False)),
        int8_ops_per_s=None if default_engine() == "none" else _peak(_int8_linear),
        bf16_ops_per_s=_peak(partial(nn.Linear, bias=False, dtype=torch.bfloat16), torch.bfloat16),
    )


def _bandwidth(rows: int) -> float:
    matrix, vector = torch.ones(rows, COLUMNS), torch.ones(COLUMNS)
    seconds = _best_seconds(partial(torch.mv, matrix, vector), SECONDS_PER_CEILING)
    return 4 * matrix.numel() / seconds


def _int8_linear(inputs: int, outputs: int) -> nn.Module:
    return quantize(LSTMModel(outputs, 1, inputs, 1), Variant(linear="int8")).decoder


def _peak(make: Callable[[int, int], nn.Module], dtype: torch.dtype = torch.float32) -> float:
    """Return the most operations per second of the Linear modules that `make` returns for an
    input's and an output's columns."""
    speeds = []
    for rows, inputs, outputs in SHAPES:
        multiply = partial(make(inputs, outputs), torch.ones(rows, inputs, dtype=dtype))
        seconds = _best_seconds(multiply, SECONDS_PER_CEILING / len(SHAPES))
        speeds.append(2 * rows * inputs * outputs / seconds)
    return max(speeds)


def _best_seconds(do: Callable[[], object], enough: float) -> float:
    """Return the shortest of at least three times, more until they add up to `enough` seconds."""
    times: list[float] = []
    with torch.inference_mode():
        while len(times) < 3 or sum(times) < enough:
            start = time.perf_counter()
            do()
            times.append(time.perf_counter() - start)
    return min(times)
