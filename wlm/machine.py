"""The machine that a number was measured on."""

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import psutil
import torch

from wlm import __version__

# The instruction sets that decide how fast int8 and fp32 arithmetic run, as Linux names them.
RELEVANT_FLAGS = (
    "avx2 avx_vnni avx512f avx512_vnni avx512_bf16 amx_int8 amx_bf16 asimd asimddp i8mm bf16 sve"
).split()


def describe_machine() -> dict:
    """Return the CPU, memory, system and versions behind a measurement, and the load now.

    Units are in the names; what cannot be found out is None or an empty list.
    """
    return {**_fixed_facts(), "load_1min": load_now()}


def load_now() -> float | None:
    """Return the mean number of runnable processes of the last minute, where the system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def cpu_count() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _fixed_facts() -> dict:
    model, flags = _cpu()
    return {
        "cpu": model,
        "cpu_flags": [flag for flag in RELEVANT_FLAGS if flag in flags],
        "cpus": cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "quantized_engine": torch.backends.quantized.engine,
        "wlm": __version__,
    }


def _cpu() -> tuple[str, set[str]]:
    """The CPU's name and instruction sets."""
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
