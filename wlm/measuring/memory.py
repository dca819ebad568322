"""The memory that a variant adds to a process, measured in a new process for every variant.

Private memory (psutil's USS) excludes pages that other processes share, such as libraries. Systems
without USS report resident memory (RSS), and the result says so.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import psutil

from wlm.disk_cache import read_cached, write_cached
from wlm.errors import VariantError, WLMError, first_line
from wlm.memory import give_back
from wlm.paths import child_environment
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import Checkpoint

FORMAT = 1  # raise it to measure all variants again
CHUNKS, CHUNK = 4, 25  # the tokens that are read before the measurement
SECONDS = 6.0  # about what a variant takes that was not measured before
SECONDS_BETWEEN = 0.005  # between two looks at the memory of the other process
REPORT_SECONDS = 0.5
_PACKAGES = ("torch", "onnxruntime", "onnx")


@dataclass(frozen=True)
class Memory:
    """Bytes that a variant adds to a process that has imported all packages.

    added_bytes: after the variant was prepared and has read 100 tokens, without the fp32 model if
    the variant does not need it; peak_bytes: the most at any time, loading included; measure: `USS`
    or `RSS`.
    """

    added_bytes: int
    peak_bytes: int
    measure: str


def memory_steps(
    checkpoint: Checkpoint, variant: Variant, model: str, *files: str | None
) -> Iterator[Memory | None]:
    """Yield None from time to time, then a variant's memory, from the cache on disk or measured
    now, in about 5 seconds. Closing the iterator stops the measurement.

    `model` and `files`, a vocabulary and a corpus or None, are what `open_model` got for the
    checkpoint. Raises VariantError, WLMError.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    if (known := kept_memory(checkpoint, variant, model)) is None:
        if variant.runtime == "onnxruntime":
            for _ in _measure(variant, model, *files):  # writes the ONNX file: more memory
                yield None
        for known in _measure(variant, model, *files):
            if known is None:
                yield None
        write_cached(*_key(checkpoint, variant, model), json.dumps(asdict(known)).encode())
    yield known


def kept_memory(checkpoint: Checkpoint, variant: Variant, model: str) -> Memory | None:
    """Return a variant's memory if it was measured before with the same weights and versions."""
    content = read_cached(*_key(checkpoint, variant, model))
    return None if content is None else Memory(**json.loads(content))


def private_bytes(process: psutil.Process) -> tuple[int, str]:
    """Return a process's private memory and `USS`, or its resident memory and `RSS`."""
    uss = getattr(process.memory_full_info(), "uss", None)
    return (process.memory_info().rss, "RSS") if uss is None else (uss, "USS")


def _key(checkpoint: Checkpoint, variant: Variant, model: str) -> tuple[str, str, str]:
    group = f"memory-{checkpoint.sha256 or model}"[:72]
    return group, _versions(), ".".join(map(str, astuple(variant))) + ".json"


@cache  # it reads files
def _versions() -> str:
    found = [str(FORMAT)]
    for package in _PACKAGES:
        try:
            found.append(version(package))
        except PackageNotFoundError:
            found.append("none")
    return "-".join(found)


def _measure(variant: Variant, model: str, *files: str | None) -> Iterator[Memory | None]:
    """Start a process that prepares and runs the variant, and watch its memory: yield None from
    time to time, then the memory. Raises WLMError."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(variant), model, *(file or "" for file in files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    ) as process:
        try:
            yield from _watch(process, variant)
        finally:
            process.kill()


def _watch(process: subprocess.Popen, variant: Variant) -> Iterator[Memory | None]:
    watched = psutil.Process(process.pid)
    yield from _answered(process, variant)
    before, measure = private_bytes(watched)
    peak = before

    def look() -> None:
        nonlocal peak
        with contextlib.suppress(psutil.Error):  # the process has ended
            peak = max(peak, private_bytes(watched)[0])

    process.stdin.write("go\n")
    process.stdin.flush()
    yield from _answered(process, variant, look)
    after = private_bytes(watched)[0]
    yield Memory(max(0, after - before), max(peak, after) - before, measure)


def _answered(
    process: subprocess.Popen, variant: Variant, look: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Wait until the process writes a line; look at it meanwhile, and yield from time to time.
    Raises WLMError if the process ends."""
    answers: list[str] = []  # one: the process waits after its answer, or has ended

    def read() -> None:
        with contextlib.suppress(ValueError):  # the measurement was stopped, and the pipe closed
            answers.append(process.stdout.readline())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reported = time.monotonic()
    while reader.is_alive():
        look()
        reader.join(SECONDS_BETWEEN)
        if time.monotonic() - reported > REPORT_SECONDS:
            yield None
            reported = time.monotonic()
    if not answers[0]:
        raise WLMError(f"the memory of {variant} cannot be measured: {_problem(process)}")


def _problem(process: subprocess.Popen) -> str:
    """Return the last line of a process's errors."""
    *_, problem = process.communicate()[1].strip().split("\n")
    return problem[:200] or f"the process ended with {process.returncode}"


def _run(name: str, model: str, *files: str) -> None:
    """Prepare and run a variant, and wait after every step until the other process has looked."""
    import torch

    from wlm.catalog.open import open_model

    torch.set_num_threads(1)
    variant = Variant.parse(name)
    if variant.runtime == "onnxruntime":
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    give_back()
    _tell("ready")
    checkpoint = open_model(model, *(file or None for file in files))
    made = prepare(checkpoint.model, variant)
    del checkpoint
    words = torch.arange(CHUNKS * CHUNK + 1).remainder(made.config.ntoken).view(-1, 1)
    hidden = made.init_hidden(1)
    with torch.inference_mode():
        for i in range(0, CHUNKS * CHUNK, CHUNK):
            targets = words[i + 1 : i + 1 + CHUNK].flatten()
            _, hidden = made.nll(words[i : i + CHUNK], hidden, targets)
    give_back()
    _tell("done")


def _tell(word: str) -> None:
    """Write a line, and wait until the other process has read the memory."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    try:
        _run(*sys.argv[1:])
    except WLMError as error:
        sys.exit(first_line(error))
