"""The memory that a variant adds to a process, measured in a new process for every variant.

Private memory (psutil's USS) excludes pages that other processes share, such as libraries. Systems
without USS report resident memory (RSS), and the result says so.
"""

import contextlib
import gc
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, astuple, dataclass
from importlib.metadata import PackageNotFoundError, version

import psutil

from wlm.disk_cache import read_cached, write_cached
from wlm.errors import VariantError, WLMError, first_line
from wlm.memory import give_back
from wlm.paths import ROOT
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import Checkpoint

FORMAT = 1  # raise it to measure all variants again
CHUNKS, CHUNK = 4, 25  # the tokens that are read before the measurement
SECONDS_BETWEEN = 0.005  # between two looks at the memory of the other process
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


def memory_of(checkpoint: Checkpoint, variant: Variant, model: str, *files: str | None) -> Memory:
    """Return a variant's memory, from the cache on disk or measured now, in about 5 seconds.

    `model` and `files`, a vocabulary and a corpus or None, are what `open_model` got for the
    checkpoint. Raises VariantError, WLMError.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    group = f"memory-{checkpoint.sha256 or model}"[:72]
    key = group, _versions(), ".".join(map(str, astuple(variant))) + ".json"
    if (content := read_cached(*key)) is not None:
        return Memory(**json.loads(content))
    if variant.runtime == "onnxruntime":
        _measure(variant, model, *files)  # writes the ONNX file, which takes more memory
    found = _measure(variant, model, *files)
    write_cached(*key, json.dumps(asdict(found)).encode())
    return found


def private_bytes(process: psutil.Process) -> tuple[int, str]:
    """Return a process's private memory and `USS`, or its resident memory and `RSS`."""
    uss = getattr(process.memory_full_info(), "uss", None)
    return (process.memory_info().rss, "RSS") if uss is None else (uss, "USS")


def _versions() -> str:
    found = [str(FORMAT)]
    for package in _PACKAGES:
        try:
            found.append(version(package))
        except PackageNotFoundError:
            found.append("none")
    return "-".join(found)


def _measure(variant: Variant, model: str, *files: str | None) -> Memory:
    """Start a process that prepares and runs the variant, and watch its memory."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(variant), model, *(file or "" for file in files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        try:
            return _watch(process, variant)
        finally:
            process.kill()


def _watch(process: subprocess.Popen, variant: Variant) -> Memory:
    """Return the memory of a process that is measured. Raises WLMError."""
    if not process.stdout.readline():
        raise WLMError(f"the memory of {variant} cannot be measured: {_problem(process)}")
    watched = psutil.Process(process.pid)
    before, measure = private_bytes(watched)
    peak = before
    process.stdin.write("go\n")
    process.stdin.flush()
    answers: list[str] = []  # one: the process waits after its answer, or has ended
    reader = threading.Thread(target=lambda: answers.append(process.stdout.readline()), daemon=True)
    reader.start()
    while reader.is_alive():
        with contextlib.suppress(psutil.Error):  # the process has ended
            peak = max(peak, private_bytes(watched)[0])
        reader.join(SECONDS_BETWEEN)
    if not answers[0]:
        raise WLMError(f"the memory of {variant} cannot be measured: {_problem(process)}")
    after = private_bytes(watched)[0]
    return Memory(after - before, max(peak, after) - before, measure)


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

        import wlm.quantization.onnx.export  # noqa: F401
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
    gc.collect()
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
