"""The machine that a number was measured on."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psutil
import torch

from wlm import __version__
from wlm.hosting import hosting
from wlm.quantization.engines import default_engine

# The instruction sets that decide how fast int8 and fp32 arithmetic run, as Linux names them.
RELEVANT_FLAGS = (
    "avx2 avx_vnni avx512f avx512_vnni avx512_bf16 amx_int8 amx_bf16 asimd asimddp i8mm bf16 sve"
).split()

QUOTA = Path("/sys/fs/cgroup/cpu.max")
BUSY_SECONDS = 0.2  # long enough to tell a busy CPU from an idle one


def describe_machine() -> dict:
    """Return the CPU, memory, system and versions behind a measurement, and the load now.

    Units are in the names; what cannot be found out is None or an empty list.
    """
    facts = _fixed_facts()
    now = _affinity()
    pinned = now if now and len(now) < facts["cpus"] else None
    return {**facts, "pinned_to": pinned, "load_1min": load_now()}


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Keep this thread, and the threads that it starts, on the `threads` least busy CPUs.

    Does nothing if the system cannot do this, or if no CPUs would be left for others.
    """
    _fixed_facts()  # these describe the machine, not the CPUs left below
    before = _affinity()
    if before is None or threads >= len(before):
        yield
        return
    busy = psutil.cpu_percent(interval=BUSY_SECONDS, percpu=True)  # by CPU number
    idlest = sorted(before, key=lambda cpu: busy[cpu] if cpu < len(busy) else 0.0)
    os.sched_setaffinity(0, idlest[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _affinity() -> list[int] | None:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def load_now() -> float | None:
    """Return the mean number of runnable processes of the last minute, if the system reports it."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def cpu_count() -> int:
    """Return the number of CPUs that this process may use."""
    return len(_affinity() or []) or os.cpu_count() or 1


def thread_counts() -> tuple[int, ...]:
    """Return the numbers of threads to offer to visitors: up to one thread per CPU, or fewer on a
    public server."""
    limits = hosting()
    most = min(cpu_count(), limits.threads) if limits.public else cpu_count()
    return tuple(threads for threads in (1, 2, 4, 8, 16) if threads <= most)


@cache
def _fixed_facts() -> dict:
    model, flags = _cpu()
    return {
        "cpu": model,
        "cpu_flags": [flag for flag in RELEVANT_FLAGS if flag in flags],
        "cpus": cpu_count(),
        "cpu_quota": _quota(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "quantized_engine": default_engine(),
        "wlm": __version__,
        # Tells machines of one kind apart without showing their names on a public page.
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:6],
    }


def _quota() -> float | None:
    """Return the number of CPUs that a container's time limit equals, if it has one (cgroup 2)."""
    try:
        limit, period = QUOTA.read_text().split()
        return round(int(limit) / int(period), 2)
    except (OSError, ValueError):
        return None


def _cpu() -> tuple[str, set[str]]:
    """Return the CPU's name and instruction sets."""
    if platform.system() == "Linux":
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        facts = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
        flags = facts.get("flags") or facts.get("Features") or ""
        return facts.get("model name") or platform.machine(), set(flags.split())
    if platform.system() == "Darwin":
        query = ["sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(query, capture_output=True, text=True, check=False)
        return done.stdout.strip() or platform.machine(), set()
    return platform.processor() or platform.machine(), set()
