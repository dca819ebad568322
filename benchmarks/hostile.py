"""Hostile files: what reading each costs, and how long other visitors wait meanwhile.

    python -m benchmarks.hostile [read | crowd] [--visitors 30] [--seconds 60]

Each file is read as by `--model`. Then visitors of a public server act at random, in turn without
uploads and while two strangers upload the files again and again. Linux only.
"""

import argparse
import asyncio
import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.attacks import GONE, MOST_MEGABYTES, VIA, public_server
from benchmarks.memory import Memory, percentile_95
from benchmarks.visitor import visit
from benchmarks.visitors import something
from helpers import hostile
from helpers.tiny import WORDS
from wlm.errors import WLMError
from wlm.measuring.machine import describe_machine
from wlm.weights.limited import MEMORY, SECONDS, load_limited

UPLOADERS = 2
TURNS = 3
PAUSE = 6.0  # mean seconds between a visitor's actions
MOST_TIMES = 2.0  # as long as usual: visitors' waits


def read_all(folder: Path) -> bool:
    """Print what reading each file costs, and its refusal; return whether all are refused within
    the limits."""
    held = True
    words = folder / "words.txt"
    words.write_text("".join(f"{word}\n" for word in WORDS), "utf-8")
    print("| file | MB | s, s of a CPU | MB of memory | refusal |\n|---|---|---|---|---|")
    for what, (name, write) in hostile.LARGE.items():
        path = folder / name
        write(path)
        start, cpu = time.perf_counter(), cpu_seconds()
        with Memory() as memory:
            try:
                load_limited(path, vocabulary=words)
                said, held = "none", False
            except WLMError as error:
                said = str(error).replace(str(path), name)
        took, cpu = time.perf_counter() - start, cpu_seconds() - cpu
        size = path.stat().st_size / 1e6
        used = memory.most_of_readers
        print(f"| {what} | {size:.1f} | {took:.1f}, {cpu:.1f} | {used:,.0f} | {said} |", flush=True)
        held &= cpu < SECONDS and used < MEMORY / 1e6 + 300.0  # PyTorch itself
    return held


def cpu_seconds() -> float:
    """Return the CPU time of the processes that have ended, PyTorch's import included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def crowd(address: str, visitors: int, seconds: float) -> list[float]:
    """Let visitors act at random, and return the seconds that they wait for each answer."""
    waited: list[float] = []
    end = time.monotonic() + seconds

    async def stay(number: int) -> None:
        chance = random.Random(number)
        async with visit(address) as one:
            await one.open()
            while time.monotonic() < end:
                await asyncio.sleep(chance.expovariate(1 / PAUSE))
                start = time.monotonic()
                with suppress(TimeoutError):
                    await something(one, chance)
                waited.append(time.monotonic() - start)

    await asyncio.gather(*map(stay, range(visitors)))
    return waited


async def upload_all(
    address: str, files: Iterator[Path], said: list[str], over: asyncio.Event
) -> None:
    """Upload files one after the other, each from a new visitor, until it is over."""
    words = "".join(f"{word}\n" for word in WORDS).encode()
    while not over.is_set():
        path = next(files)
        with suppress(*GONE):
            async with visit(address, via=VIA) as stranger:
                await stranger.open("Models")
                content = await asyncio.to_thread(path.read_bytes)
                await stranger.choose("Weights", path.name, content)
                await stranger.choose("Vocabulary", "words.txt", words)
                await stranger.press("Upload model")
                said += stranger.problems or ["accepted"]


async def upload_to(address: str, folder: Path, options: argparse.Namespace) -> bool:
    """Print how long visitors wait without and with uploads, and the memory; return whether uploads
    are refused, waits at most MOST_TIMES as long, and the memory below MOST_MEGABYTES."""
    files = [folder / name for name, _write in hostile.LARGE.values()]
    for path, (_name, write) in zip(files, hostile.LARGE.values(), strict=True):
        write(path)
    await crowd(address, options.visitors, 20.0)  # pages are drawn for the first time
    usual, meanwhile, said = [], [], []
    each = options.seconds / TURNS
    upload = partial(upload_all, address, itertools.cycle(files), said)
    with Memory() as memory:
        for _ in range(TURNS):  # in turn, so that other work falls on both alike
            usual += await crowd(address, options.visitors, each)
            over = asyncio.Event()
            uploading = [asyncio.create_task(upload(over)) for _ in range(UPLOADERS)]
            meanwhile += await crowd(address, options.visitors, each)
            over.set()
            await asyncio.gather(*uploading)
    before, after = percentile_95(usual), percentile_95(meanwhile)
    print(f"\n{options.visitors} visitors: p95 {before:.3f} s; with {len(said)} uploads ", end="")
    print(f"{after:.3f} s, {after / before:.2f} times as long")
    print(
        f"memory before, most, after {memory} MB; readers at most {memory.most_of_readers:,.0f} MB"
    )
    for sentence in dict.fromkeys(said):
        print(f"  {sentence}")
    held = after <= MOST_TIMES * before and memory.most < MOST_MEGABYTES
    return held and "accepted" not in said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=("read", "crowd"), help="default: both")
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0, help="without and with uploads")
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}\n")
    with tempfile.TemporaryDirectory(prefix="wlm-hostile-") as name:
        held = options.part == "crowd" or read_all(Path(name))
        if options.part != "read":
            with public_server(WLM_ALLOW_UPLOAD="1") as address:
                held &= asyncio.run(upload_to(address, Path(name), options))
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
