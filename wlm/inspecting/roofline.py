"""The roofline of this machine, and the work of each module: is it bound by memory?

A module that does few operations for each byte that it moves waits for memory, however fast the
arithmetic is. Source: Williams, Waterman and Patterson 2009, "Roofline: an insightful visual
performance model for multicore architectures".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.quantization.engines import default_engine
from wlm.quantization.prepare import WEIGHT_BYTES
from wlm.quantization.pytorch import quantize
from wlm.quantization.variant import Variant

MODULES = ("embedding", "LSTM", "decoder", "loss")
ACTIVATION_BYTES = 4
MEMORY_ROWS, CACHE_ROWS, COLUMNS = 65_536, 256, 1_024  # 268 MB, which no cache holds, and 1 MB
SQUARE = 1_024
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
    embedding, lstm, linear = (WEIGHT_BYTES[each] for each in precisions(variant).values())
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
    return {
        "embedding": variant.embedding,
        "LSTM": variant.lstm,
        "decoder": variant.linear,
    }


@dataclass(frozen=True)
class Roofline:
    """What this machine can do at best, as measured: bytes read per second from memory and from
    its caches, operations per second in fp32, in int8 (None without a quantized engine) and in bf16
    (None if it was not measured)."""

    memory_bytes_per_s: float
    cache_bytes_per_s: float
    fp32_ops_per_s: float
    int8_ops_per_s: float | None
    bf16_ops_per_s: float | None = None

    def peak(self, precision: str) -> float:
        """Return the most operations per second; fp16 weights are multiplied in fp32, int4 ones in
        int8."""
        own = {"int": self.int8_ops_per_s, "bf1": self.bf16_ops_per_s}.get(precision[:3])
        return own or self.fp32_ops_per_s

    def roof(self, ops_per_byte: float, precision: str) -> float:
        """Return the most operations per second for data that come from memory."""
        return min(self.peak(precision), ops_per_byte * self.memory_bytes_per_s)

    def is_memory_bound(self, ops_per_byte: float, precision: str) -> bool:
        """Tell whether memory, rather than arithmetic, limits such work."""
        return ops_per_byte * self.memory_bytes_per_s < self.peak(precision)


def measure_roofline() -> Roofline:
    """Measure this machine's ceilings with PyTorch's present thread count, in about 2 seconds.

    Bandwidth: products of a matrix that no cache holds, and of a small one, with a vector. Peaks:
    products of two square matrices of 1,024 rows, in int8 by PyTorch's dynamic Linear, which
    includes the rounding of its input. Each is the best of several.
    """
    return Roofline(
        memory_bytes_per_s=_bandwidth(MEMORY_ROWS),
        cache_bytes_per_s=_bandwidth(CACHE_ROWS),
        fp32_ops_per_s=_float_peak(torch.float32),
        int8_ops_per_s=_int8_peak(),
        bf16_ops_per_s=_float_peak(torch.bfloat16),
    )


def _bandwidth(rows: int) -> float:
    matrix, vector = torch.ones(rows, COLUMNS), torch.ones(COLUMNS)
    return 4 * matrix.numel() / _best_seconds(lambda: torch.mv(matrix, vector))


def _float_peak(dtype: torch.dtype) -> float:
    square = torch.ones(SQUARE, SQUARE, dtype=dtype)
    return 2 * SQUARE**3 / _best_seconds(lambda: torch.mm(square, square))


def _int8_peak() -> float | None:
    if default_engine() == "none":
        return None
    linear = quantize(LSTMModel(SQUARE, 1, SQUARE, 1), Variant(linear="int8")).decoder
    square = torch.ones(SQUARE, SQUARE)
    return 2 * SQUARE**3 / _best_seconds(lambda: linear(square))


def _best_seconds(do: Callable[[], object]) -> float:
    """The shortest of the times that fit into SECONDS_PER_CEILING, three at least."""
    times: list[float] = []
    with torch.inference_mode():
        while len(times) < 3 or sum(times) < SECONDS_PER_CEILING:
            start = time.perf_counter()
            do()
            times.append(time.perf_counter() - start)
    return min(times)
