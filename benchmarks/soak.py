"""Thirty visitors act at random while parts fail every minute: are runs lost?

    python -m benchmarks.soak [--minutes 10] [--visitors 30] [--pause 6]

Two servers share a PostgreSQL; one has its own worker, the other a Dask cluster of two workers.
If a server goes, its visitors return at the other one, as behind a proxy. Prints a table. The exit
code is 1 if an answered run is gone, a process is left, or a visitor saw a traceback. Linux only:
the benchmark finds processes by their environment.
"""

import argparse
import asyncio
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
from websockets.exceptions import WebSocketException

from benchmarks import ROOT
from benchmarks.faults import FAULTS, MARK, PORTS, Site, address_of
from benchmarks.visitor import Visitor, visit
from helpers import postgres
from helpers.waiting import wait_for
from wlm.measuring.machine import describe_machine
from wlm.runs.store import RunStore

DATABASE = 8836
PAGES = ("Compare", "Sample", "Inspect", "Sweep", "Runs", "Tutorial", "Models")


class Crowd:
    """What the visitors did and saw."""

    def __init__(self):
        self.seconds: list[float] = []
        self.answered: set[str] = set()  # the runs that a page has named
        self.problems: Counter[str] = Counter()
        self.lost = 0  # connections
        self.over = False


async def stay(number: int, crowd: Crowd, pause: float) -> None:
    """Be a visitor who comes back, with the same cookie, to the server that answers."""
    chance, names = random.Random(number), list(PORTS)
    cookie, turn = f"_streamlit_xsrf=2|00|{secrets.token_hex(16)}|1", number
    while not crowd.over:
        try:
            async with visit(address_of(names[turn % 2]), cookie) as visitor:
                try:
                    await be_there(visitor, crowd, chance, pause)
                finally:
                    crowd.problems.update(
                        problem.split(":")[0][:90] for problem in visitor.problems
                    )
        except (OSError, WebSocketException, TimeoutError):
            crowd.lost += 1
            turn += 1
            await asyncio.sleep(1.0)


async def be_there(visitor: Visitor, crowd: Crowd, chance: random.Random, pause: float) -> None:
    """Open a page and do something now and then, until the time is over."""
    page = chance.choice(PAGES)
    crowd.seconds.append(await visitor.open("" if page == "Compare" else page))
    while not crowd.over:
        await asyncio.sleep(chance.expovariate(1 / pause))
        if "Run" in visitor.buttons and chance.random() < 0.4:
            crowd.seconds.append(await visitor.press("Run"))
            query = dict(pair.partition("=")[::2] for pair in visitor.query.split("&"))
            if run_id := query.get("run"):
                crowd.answered.add(run_id)
        elif visitor.switches and chance.random() < 0.3:
            crowd.seconds.append(await visitor.flip(chance.choice(visitor.switches)))
        else:
            crowd.seconds.append(await visitor.follow(chance.choice(PAGES)))


async def soak(site: Site, options: argparse.Namespace) -> tuple[Crowd, list[float]]:
    """Let visitors come and parts fail; return the crowd, and the memory in megabytes at the
    beginning, after each fault, and at the end."""
    crowd = Crowd()
    visitors = [
        asyncio.create_task(stay(number, crowd, options.pause))
        for number in range(options.visitors)
    ]
    await asyncio.sleep(45.0)
    memory = [site.megabytes()]
    end = time.monotonic() + options.minutes * 60.0 - 45.0
    for turn in range(1000):
        if time.monotonic() > end - 30.0:
            break
        fault = FAULTS[turn % len(FAULTS)]
        print(f"{time.strftime('%H:%M:%S')} {memory[-1]:,.0f} MB. {fault.__doc__}", flush=True)
        began = time.monotonic()
        await asyncio.to_thread(fault, site)
        memory.append(await asyncio.to_thread(site.megabytes))
        await asyncio.sleep(max(0.0, 60.0 - (time.monotonic() - began)))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    crowd.over = True
    await asyncio.gather(*visitors, return_exceptions=True)
    return crowd, [*memory, site.megabytes()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--pause", type=float, default=6.0, help="mean seconds between actions")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wlm-soak-")))
        database = stack.enter_context(postgres.running(DATABASE))
        site = Site(folder, database)
        try:
            crowd, memory = asyncio.run(soak(site, options))
            store = RunStore(site.url)
            with suppress(AssertionError):
                wait_for(lambda: not store.unfinished(), "the last runs")
        finally:
            site.close()
        logs = [path.read_text(errors="replace") for path in folder.glob("?.log")]
        raised = Counter(kind for log in logs for kind in tracebacks(log))
        took = [seconds for path in folder.glob("*.log") for seconds in seconds_of_runs(path)]
        here = {run.id: run for run in store.list_runs("compare", limit=100_000)}
        left = [process for process in psutil.process_iter() if _is_ours(process, folder.name)]
    states = Counter(
        str(here[run_id].state) if run_id in here else "gone" for run_id in crowd.answered
    )
    ordered = sorted(crowd.seconds)
    machine = describe_machine()
    shown = sum(count for words, count in crowd.problems.items() if "Traceback" in words)
    rows = {
        "minutes, visitors": f"{options.minutes:g}, {options.visitors}",
        "answers": f"{len(ordered):,}",
        "median and 95th percentile, s": f"{statistics.median(ordered):.2f}, "
        f"{ordered[int(0.95 * len(ordered))]:.2f}",
        "connections lost and made again": str(crowd.lost),
        "runs answered": str(len(crowd.answered)),
        **{f"of them {state}": str(count) for state, count in sorted(states.items())},
        "of them gone": str(states["gone"]),
        "seconds of a run that was done, median": f"{statistics.median(took or [0.0]):.1f}",
        "processes left": str(len(left)),
        "memory at the beginning, at most after a fault, at the end, MB": f"{memory[0]:,.0f}, "
        f"{max(memory):,.0f}, {memory[-1]:,.0f}",
        "messages and files of attackers, accepted": f"{site.attacks['sent']:,}, "
        f"{site.attacks['accepted']}",
        "tracebacks that visitors saw": str(shown),
        "tracebacks in the servers' logs": str(raised.total()),
    }
    print(f"\n{machine['cpu']}, {machine['cpus']} CPUs\n\n| what | |\n|---|---|")
    for what, value in rows.items():
        print(f"| {what} | {value} |")
    for what, found in (("pages said of errors", crowd.problems), ("logs tell", raised)):
        print(f"\nwhat {what}:")
        for words, count in found.most_common():
            print(f"{count:6}  {words}")
    return int(bool(states["gone"] or left or shown or site.attacks["accepted"]))


def seconds_of_runs(log: Path) -> Iterator[float]:
    """Return how long the runs took that were done, as a log tells."""
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{") and '"event": "run"' in line and '"done"' in line:
            yield json.loads(line)["seconds"]


def tracebacks(log: str) -> Iterator[str]:
    """Return the last line of each traceback in a log, and the deepest line of code of ours."""
    for block in log.split("Traceback (most recent call last):")[1:]:
        lines = block.splitlines()[1:]
        end = next((i for i, line in enumerate(lines) if line and line[0] not in " \t"), None)
        ours = [line.strip() for line in lines[:end] if f'"{ROOT}/' in line and ".venv" not in line]
        last = lines[end][:160] if end is not None else "?"
        place = ours[-1].replace(f"{ROOT}/", "") if ours else ""
        yield f"{last} {place}"


def _is_ours(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error):
        return process.environ().get(MARK) == mark
    return False


if __name__ == "__main__":
    sys.exit(main())
