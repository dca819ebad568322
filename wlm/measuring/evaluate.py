"""Loss over a text, block by block."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

try:
    import resource
except ImportError:  # not on Windows
    resource = None

import torch
from torch import Tensor

from wlm.errors import SettingError, check_range
from wlm.measuring.machine import cpu_count
from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import PreparedModel
from wlm.text.corpus import get_batch

DEFAULT_BPTT = 25  # the tutorial's chunk length
DEFAULT_THREADS = 1
FINEST = 2.0**-32  # nats


@dataclass(frozen=True)
class Block:
    """A stretch of text as evaluated: the tokens predicted, their summed negative log-likelihood in
    nats, the wall-clock and CPU seconds, the number of involuntary context switches (None if the
    system does not report it), the number of unknown words among the tokens, and the summed
    negative log-likelihood of these words."""

    tokens: int
    nll: float
    wall_s: float
    cpu_s: float
    switches: int | None = None
    unknown: int = 0
    unknown_nll: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """The sum of several blocks: tokens predicted, mean loss in nats per token, seconds, and the
    mean loss over the known words alone (None if there are none)."""

    tokens: int
    loss: float
    wall_s: float
    cpu_s: float
    loss_known: float | None = None

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> "Evaluation":
        """Add up blocks, at least one."""
        blocks = list(blocks)
        tokens = sum(block.tokens for block in blocks)
        loss = math.fsum(block.nll for block in blocks) / tokens
        wall_s = math.fsum(block.wall_s for block in blocks)
        cpu_s = math.fsum(block.cpu_s for block in blocks)
        known = tokens - sum(block.unknown for block in blocks)
        known_nll = math.fsum(block.nll - block.unknown_nll for block in blocks)
        return cls(tokens, loss, wall_s, cpu_s, known_nll / known if known else None)

    @property
    def perplexity(self) -> float:
        """Return e to the loss: the number of equally likely words that would be as hard to
        guess."""
        return math.exp(min(self.loss, 700.0))

    @property
    def tokens_per_s(self) -> float:
        """Return the tokens predicted per wall-clock second."""
        return self.tokens / self.wall_s


class BlockReader:
    """Reads batchified ids (N, B) in blocks of chunks of `bptt` rows, again and again.

    It keeps its place in the text and the hidden state, so that each block can have a different
    copy of the model. `unknown`, booleans (N, B), marks words whose loss is also summed separately.

    Raises SettingError. Source: the tutorial, section 4 (`evaluate`).
    """

    def __init__(
        self,
        data: Tensor,
        *,
        bptt: int,
        threads: int = DEFAULT_THREADS,
        unknown: Tensor | None = None,
    ):
        check_bptt(bptt)
        check_threads(threads)
        self.data, self.bptt, self.threads = data, bptt, threads
        self.unknown = torch.zeros_like(data, dtype=torch.bool) if unknown is None else unknown
        self.chunks = math.ceil((data.size(0) - 1) / bptt)  # in the text
        self._next, self._hidden = 0, None

    def read(self, model: LSTMModel | PreparedModel, chunks: int) -> Block:
        """Return the loss and the times of the next chunks; a block ends with the text.

        The hidden state is carried from chunk to chunk. Inference mode and the thread count hold
        while the block is computed, never while the caller has control.
        """
        # A PyTorch module runs on the process's threads, ONNX Runtime on those it was started with.
        if getattr(model, "threads", self.threads) != self.threads:
            raise SettingError(
                f"threads must be {model.threads}, as the model was prepared for, got "
                f"{self.threads}"
            )
        model.eval()
        data, bptt = self.data, self.bptt
        hidden = self._hidden if self._next else model.init_hidden(data.size(1))
        last = min(self._next + chunks, self.chunks)
        starts = range(self._next * bptt, min(last * bptt, data.size(0) - 1), bptt)
        with torch.inference_mode(), thread_count(self.threads):
            losses = []
            switches = _switches()
            wall, cpu = time.perf_counter(), time.process_time()
            for i in starts:
                input, targets = get_batch(data, i, bptt)
                loss, hidden = model.nll(input, hidden, targets)
                losses.append(loss)
            wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
            switches = None if switches is None else _switches() - switches
        self._next, self._hidden = last % self.chunks, hidden
        # Multiples of FINEST have exact sums, so a loss does not depend on the blocks of a text.
        nll = (torch.cat(losses).double() / FINEST).round() * FINEST
        is_unknown = self.unknown[starts[0] + 1 : last * bptt + 1].reshape(-1)
        return Block(
            len(nll),
            float(nll.sum()),
            wall_s,
            cpu_s,
            switches,
            int(is_unknown.sum()),
            float(nll[is_unknown].sum()),
        )


def evaluate_blocks(
    model: LSTMModel | PreparedModel,
    data: Tensor,
    *,
    bptt: int = DEFAULT_BPTT,
    threads: int = DEFAULT_THREADS,
    chunks_per_block: int = 40,
    unknown: Tensor | None = None,
) -> Iterator[Block]:
    """Yield the loss over batchified ids (N, B), read once, in blocks of chunks of `bptt` rows: see
    `BlockReader`. Raises SettingError."""
    reader = BlockReader(data, bptt=bptt, threads=threads, unknown=unknown)
    for _ in range(0, reader.chunks, chunks_per_block):
        yield reader.read(model, chunks_per_block)


def evaluate(
    model: LSTMModel | PreparedModel,
    data: Tensor,
    *,
    bptt: int = DEFAULT_BPTT,
    threads: int = DEFAULT_THREADS,
) -> Evaluation:
    """Return the loss over all of batchified ids (N, B); see `evaluate_blocks`."""
    return Evaluation.of(evaluate_blocks(model, data, bptt=bptt, threads=threads))


def _switches() -> int | None:
    """Return this process's involuntary context switches so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource else None


def check_bptt(bptt: int) -> None:
    """Raise SettingError unless the chunk length is allowed."""
    check_range("the chunk length", bptt, 1, 1_000)


def check_threads(threads: int) -> None:
    """Raise SettingError unless this machine has that many CPUs."""
    check_range("threads", threads, 1, cpu_count(), hint="this machine's CPUs")


@contextmanager
def thread_count(threads: int) -> Iterator[None]:
    """Set PyTorch's thread count, which all threads of a process share, and restore it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
