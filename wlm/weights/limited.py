"""Reading other people's files in a short-lived process with limits on memory and time.

A hostile file can make its reader slow or large and hold Python's lock, so that the server answers
nobody else. Here the file costs at most the limits, and ends only the process that reads it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from wlm import errors
from wlm.errors import CheckpointError, WLMError, called
from wlm.paths import child_environment
from wlm.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

MEMORY = 1_000_000_000  # bytes, without the memory of Python and PyTorch, for files up to FREE_SIZE
SECONDS = 20  # of CPU time
PATIENCE = 3  # seconds that may pass per second of CPU time: other work comes first
NICENESS = 5
FREE_SIZE = 200_000_000  # bytes of a file; a larger one has more memory and time
BYTES_PER_BYTE = 3  # of memory: for 32-bit floats once to read them and once to write them
BYTES_PER_SECOND = 20_000_000
START_SECONDS = 120  # to import PyTorch on a busy machine
MOST_AT_ONCE = 2
MOST_MESSAGE = 1_000  # characters
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def load_limited(path: Path, **options: str | Path | int | None) -> Checkpoint:
    """Return what `load_checkpoint` returns for the same options; another process reads the file.

    At most MOST_AT_ONCE files are read at a time. Raises what `load_checkpoint` raises, and
    CheckpointError for a file that exceeds a limit.
    """
    with (
        _places,
        tempfile.TemporaryDirectory(prefix="wlm-") as folder,
        called({Path(folder): str(path)}),
    ):
        answer = _ask(path, {"path": path, "folder": folder, **options})
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["message"])
        return replace(load_checkpoint(folder), **answer)


def limits(size: int) -> tuple[int, int]:
    """Return the bytes of memory and the seconds of CPU time that reading a file of this size may
    take."""
    more = max(0, size - FREE_SIZE)
    memory = MEMORY + (BYTES_PER_BYTE * size if more else 0)
    return memory, SECONDS + more // BYTES_PER_SECOND


def _ask(path: Path, task: dict) -> dict:
    """Start a process that reads a file, and return its answer. Raises CheckpointError if the
    process gives no answer."""
    size = path.stat().st_size if path.is_file() else 0
    memory, seconds = limits(size)
    # The folder is removed with its files, also if the process is killed.
    environment = child_environment(OMP_NUM_THREADS="1", TMPDIR=task["folder"])
    # Not multiprocessing, which would import the server's script again in the process.
    code = f"import os; getattr(os, 'nice', int)({NICENESS}); "  # before PyTorch is imported
    command = [sys.executable, "-c", code + "from wlm.weights.limited import main; main()"]
    line = json.dumps({**task, "limits": [memory, seconds]}, default=str)  # paths as text
    with subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as reader:
        timer = threading.Timer(START_SECONDS + PATIENCE * seconds, reader.kill)
        timer.start()
        try:
            # Standard input stays open: the process ends when this one does, see `main`.
            reader.stdin.write(f"{line}\n".encode())
            answer = reader.stdout.read()
        except OSError:  # it has ended before it read its task
            answer = b""
        finally:
            timer.cancel()
            reader.kill()
    try:
        found = json.loads(answer)
    except ValueError:
        raise CheckpointError(
            f"the weights {str(path)!r} must be readable within {seconds} s of CPU time and "
            f"{memory / 1e9:.1f} GB of memory, which they exceed: give a state_dict alone, "
            "torch.save(model.state_dict(), path)"
        ) from None
    if "defect" in found:
        raise RuntimeError(f"reading {path.name!r} failed:\n{found['defect']}")
    return found


def main() -> None:
    """Read the task on standard input within its limits, and print the answer as JSON."""
    task = json.loads(sys.stdin.readline())
    _end_with_parent()
    answers = os.dup(1)
    os.dup2(2, 1)  # anything else that prints
    _limit(*task.pop("limits"))
    try:
        answer = _read(**task)
    except Exception as error:
        if _lacks_memory(error):
            os._exit(1)
        if isinstance(error, WLMError):
            answer = {"error": type(error).__name__, "message": str(error)[:MOST_MESSAGE]}
        else:
            answer = {"defect": traceback.format_exc(limit=5)[-4_000:]}
    os.write(answers, json.dumps(answer).encode())
    os._exit(0)


def _lacks_memory(error: Exception) -> bool:
    """Tell whether an error comes from the limit on memory. PyTorch and the system report that only
    in the message, which a WLMError may repeat."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _read(path: str, folder: str, **options) -> dict:
    loaded = load_checkpoint(path, **options)
    save_checkpoint(folder, loaded.model, loaded.vocabulary, dtype=torch.float32)
    return {
        "name": loaded.name,
        "card": loaded.card,
        "sha256": loaded.sha256,
        "weights_read": loaded.weights_read,
    }


def _limit(memory: int, seconds: int) -> None:
    """Limit this process from now on, as far as the system can; the parent limits the rest."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(OSError, ValueError):
        # What Python and PyTorch have mapped already does not count. (macOS has no /proc.)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        memory += pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with suppress(OSError, ValueError):
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    # If no handler is set, the system ends the process, even while Python's lock is held.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)


def _end_with_parent() -> None:
    def wait() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
