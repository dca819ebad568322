"""How quickly pages answer, one visitor's and a crowd's, and what memory visitors take.

    python -m benchmarks.visitors [PART …] [--visitors 30] [--within 15] [--pause 6] [--running 3]

Parts are `alone`, `crowd`, `memory` and `growth`; without any, all four are measured, each with a
fresh server on this machine with an empty store. Visitors are of this machine, too, and take
some of its CPUs: see benchmarks/visitor.py for how they differ from browsers.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import psutil

from benchmarks.visitor import Visitor, visit
from helpers.serving import APP, serving
from view.shared.page import MENU
from wlm.measuring.machine import describe_machine
from wlm.model import parts

PORT = 8792
PAGES = tuple(MENU)
LSTM, LINEAR, EMBEDDING = (f"int8 {part.label}" for part in parts.PARTS.values())
# Each flip brings another of the eight variants; the eighth is back at the first.
ROUND = (LSTM, LINEAR, LSTM, EMBEDDING, LSTM, LINEAR, LSTM, EMBEDDING)
TABS = ("Bytes", "Error", "Model")  # of Inspect, without Time, which shows measurements
SESSION_SECONDS = 120.0  # Streamlit keeps a session this long after its visitor left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", metavar="PART", help=", ".join(PARTS))
    number = parser.add_argument
    number("--visitors", type=int, default=30)
    number("--within", type=float, default=15.0, help="seconds in which they arrive")
    number("--seconds", type=float, default=60.0, help="how long the crowd stays after that")
    number("--pause", type=float, default=6.0, help="mean seconds between a visitor's actions")
    number("--running", type=int, default=3, help="how many of them measure all the time")
    number("--reruns", type=int, default=2000, help="reruns of the part growth")
    number("--first", default="", metavar="PAGE", help="the page that visitors open")
    options = parser.parse_args()
    if unknown := set(options.part) - PARTS.keys():
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}")
    for part in options.part or PARTS:
        asyncio.run(PARTS[part](options))


async def alone(options: argparse.Namespace) -> None:
    """One visitor at a time: cold start, first pages, switches, page to page."""
    start = time.perf_counter()
    with serve():
        async with visitor() as first:
            await first.open(options.first)
            say("streamlit run to a usable page", [time.perf_counter() - start])
        arrivals = [await arrival(options.first) for _ in range(5)]
        say("a new visitor's first page", arrivals)
        async with visitor() as one:
            await one.open()
            new = [await one.flip(switch) for switch in ROUND][:-1]
            say("a switch on Compare, never shown before", new)
            say("a switch on Compare, shown before", [await one.flip(choice) for choice in ROUND])
            for page in PAGES:
                await one.follow(page)
            say("page to page", [await one.follow(page) for page in PAGES])


async def crowd(options: argparse.Namespace) -> None:
    """Visitors who arrive one after the other, then switch and go from page to page."""
    firsts, answers, problems = [], [], []
    with serve():
        await arrival(options.first)
        end = time.perf_counter() + options.within + options.seconds

        async def stay(number: int) -> None:
            chance = random.Random(number)
            await asyncio.sleep(options.within * number / options.visitors)
            start = time.perf_counter()
            async with visitor(problems) as one:
                await one.open(options.first if number >= options.running else "")
                firsts.append(time.perf_counter() - start)
                while True:
                    await asyncio.sleep(chance.expovariate(1 / options.pause))
                    if time.perf_counter() > end:
                        return
                    if number >= options.running:
                        answers.append(await something(one, chance))
                    elif not one.follows:
                        answers.append(await one.press("Run"))

        stays = (stay(number) for number in range(options.visitors))
        failed = [
            problem for problem in await asyncio.gather(*stays, return_exceptions=True) if problem
        ]
    what = f"{options.visitors} visitors within {options.within:g} s"
    say(f"{what}: all answers", [*firsts, *answers])
    say(f"{what}: first pages", firsts)
    for problem in {*problems, *map(repr, failed)}:
        print(f"  {problem}")


async def memory(options: argparse.Namespace) -> None:
    """Server and worker, as visitors who see every page come and leave."""
    with serve():
        await arrival(options.first)
        say_memory("after one page")
        async with visitor() as one:
            await see_everything(one, write=True)
        before = say_memory("after one visitor has seen every page")
        async with contextlib.AsyncExitStack() as stack:
            there = [await stack.enter_async_context(visitor()) for _ in range(options.visitors)]
            for start in range(0, len(there), 5):
                five = there[start : start + 5]
                await asyncio.gather(*(see_everything(visitor, write=True) for visitor in five))
            now = say_memory(f"{options.visitors} visitors more, all still there")
            print(f"{'  a visitor':52}{(now - before) / options.visitors:8.1f} MB")
        await asyncio.sleep(SESSION_SECONDS + 5.0)
        await arrival(options.first)
        left = say_memory("two minutes after they left")
        print(f"{'  against one visitor':52}{left / before - 1:+8.0%}")


async def growth(options: argparse.Namespace) -> None:
    """Two visitors who rerun every page with every variant, for a long time."""
    with serve():
        async with visitor() as one, visitor() as other:
            await one.open()
            await other.open()
            quarter = options.reruns // 4
            for _ in range(4):
                await asyncio.gather(*(rerun(visitor, quarter // 2) for visitor in (one, other)))
                say_memory(f"after {quarter} more reruns by two visitors")


async def something(one: Visitor, chance: random.Random) -> float:
    """Turn a switch of the page, or go to another page."""
    if one.switches and chance.random() < 0.5:
        return await one.flip(chance.choice(one.switches))
    return await one.follow(chance.choice(PAGES))


async def see_everything(one: Visitor, write: bool = False) -> None:
    """Open every page, every tab of Inspect and every step of the tour; maybe have Sample write."""
    for page in PAGES:
        await one.open("" if page == "Compare" else page)
        if write and page == "Sample":
            await one.press("Write")
    for tab in TABS:
        await one.open("Inspect", f"tab={tab}")
    for step in range(2, 9):
        await one.open("Tutorial", f"step={step}")


async def rerun(one: Visitor, reruns: int) -> None:
    """Rerun pages: all switches of Compare, then each of the others."""
    done = 0
    while done < reruns:
        await one.open()
        for switch in ROUND:
            await one.flip(switch)
        await see_everything(one)
        done += 1 + len(ROUND) + len(PAGES) + len(TABS) + 7


async def arrival(page: str) -> float:
    """Return the seconds from a new visitor's connecting to the first page's end."""
    start = time.perf_counter()
    async with visitor() as one:
        await one.open(page)
        return time.perf_counter() - start


@contextlib.asynccontextmanager
async def visitor(problems: list[str] | None = None) -> AsyncIterator[Visitor]:
    """Connect a visitor; print what went wrong, or add it to the problems."""
    async with visit(f"http://127.0.0.1:{PORT}") as one:
        yield one
    if problems is not None:
        problems += one.problems
    elif one.problems:
        print(f"  {one.problems[0]}")


@contextlib.contextmanager
def serve() -> Iterator[None]:
    """Start a server with an empty store and cache, and wait until it answers."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), PORT, *APP):
        yield


def megabytes() -> float:
    """Return the memory of the server and its worker, shared pages counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        full = process.memory_full_info()
        total += getattr(full, "pss", full.rss)
    return total / 1e6


def say(what: str, seconds: Sequence[float]) -> None:
    """Print the middle and the 95th percentile of some times."""
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    middle = statistics.median(ordered)
    print(f"{what:52}{middle:8.3f} s, p95 {high:7.3f} s   ({len(ordered)})", flush=True)


def say_memory(what: str) -> float:
    """Print and return the megabytes of the server and its worker."""
    used = megabytes()
    print(f"{what:52}{used:8.0f} MB", flush=True)
    return used


PARTS = {"alone": alone, "crowd": crowd, "memory": memory, "growth": growth}

if __name__ == "__main__":
    main()
