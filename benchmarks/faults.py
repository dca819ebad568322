"""Two servers, a database and a cluster of this machine, and what fails of them: see soak.py.

Linux only.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks import ROOT, attacks
from helpers import postgres
from helpers.serving import APP, is_healthy
from helpers.waiting import wait_for

PORTS = {"A": 8834, "B": 8835}
SCHEDULER = 8837
MARK = "WLM_SOAK"  # in the environment of every process that is started here
LIMITS = {
    "WLM_PUBLIC": "1",
    "WLM_RUNS_PER_VISITOR": "1000",
    "WLM_RUNS_PER_ADDRESS": "10000",
    "WLM_RUNS_PER_SERVER": "10000",
}
ATTACK_SECONDS = 5.0  # of each
AWAY_SECONDS = 8.0  # of the database, and of room on its disk


class Site:
    """The processes, and what happens to them."""

    def __init__(self, folder: Path, database: postgres.Postgres):
        self.folder, self.database = folder, database
        self.url = database.new_database()
        self.environment = {
            **os.environ,
            **LIMITS,
            MARK: folder.name,
            "WLM_DATABASE_URL": self.url,
            "WLM_DATA": f"{folder}/data",
            "WLM_CACHE": f"{folder}/cache",
            "PYTHONPATH": str(ROOT),
        }
        self.processes: dict[str, subprocess.Popen] = {}
        self.keepers: list[subprocess.Popen] = []
        self.attacks: Counter[str] = Counter()  # messages sent, and accepted
        address = f"tcp://127.0.0.1:{SCHEDULER}"
        cluster = ("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--no-dashboard")
        self.start("scheduler", *cluster, "--port", str(SCHEDULER))
        self.worker = ("-m", "distributed.cli.dask_worker", address, "--nthreads", "1")
        self.worker += ("--no-nanny", "--no-dashboard", "--resources", "wlm=1")
        for name in ("dask-1", "dask-2"):
            self.start(name, *self.worker)
        self.cluster = {"A": {}, "B": {"WLM_DASK": address}}
        for name in PORTS:
            self.start_server(name)

    def start(self, name: str, *command: str, **variables: str) -> None:
        """Start a process of Python; its log is named after it, and kept by another process, so
        that what cannot write says why."""
        with (self.folder / f"{name}.log").open("a") as log:
            keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        self.processes[name] = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**self.environment, **variables},
            stdout=keeper.stdin,
            stderr=keeper.stdin,
        )
        keeper.stdin.close()
        self.keepers.append(keeper)

    def start_server(self, name: str, **variables: str) -> None:
        """Start a server and wait until it answers."""
        options = ("--server.headless=true", "--server.address=127.0.0.1")
        port = f"--server.port={PORTS[name]}"
        self.start(name, *APP, *options, port, **self.cluster[name], **variables)
        wait_for(lambda: is_healthy(address_of(name)), f"server {name}")

    def end(self, name: str, how: int) -> None:
        """End a process, and wait for that."""
        self.processes[name].send_signal(how)
        self.processes[name].wait()

    def megabytes(self) -> float:
        """Return the memory of all servers and workers, shared pages counted once."""
        found = [psutil.Process(process.pid) for process in self.processes.values()]
        found += [child for process in found for child in process.children(recursive=True)]
        total = 0.0
        for process in found:
            with suppress(psutil.Error):  # it has just ended
                total += process.memory_full_info().pss / 1e6
        return total

    def kill_worker(self) -> None:
        """Server A's worker is killed."""
        for child in psutil.Process(self.processes["A"].pid).children():
            child.kill()

    def kill_server(self) -> None:
        """Server A is killed, and started again."""
        self.end("A", signal.SIGKILL)
        self.start_server("A")

    def stop_server(self) -> None:
        """Server B is told to stop, and started again."""
        self.end("B", signal.SIGTERM)
        self.start_server("B")

    def kill_dask_worker(self) -> None:
        """A Dask worker is killed, and another started."""
        self.end("dask-1", signal.SIGKILL)
        self.start("dask-1", *self.worker)

    def stop_database(self) -> None:
        """The database goes away for a few seconds, as in a power cut."""
        self.database.stop()
        time.sleep(AWAY_SECONDS)
        self.database.start()

    def fill_disk(self) -> None:
        """Nothing can be written for a few seconds: neither the database nor server A's files."""
        server = psutil.Process(self.processes["A"].pid)
        before = server.rlimit(psutil.RLIMIT_FSIZE)
        server.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
        self.database.set("default_transaction_read_only", "on")
        time.sleep(AWAY_SECONDS)
        self.database.set("default_transaction_read_only", "off")
        server.rlimit(psutil.RLIMIT_FSIZE, before)

    def move_clock(self) -> None:
        """Server A is started again with a clock that keeps stepping back by an hour."""
        self.end("A", signal.SIGTERM)
        clock = os.pathsep.join([str(ROOT / "tests" / "stepping_clock"), str(ROOT)])
        self.start_server("A", PYTHONPATH=clock)

    def attack(self) -> None:
        """Strangers send server A what no page needs: messages, uploads and fragments."""
        for how in attacks.OF_MESSAGES:
            self.attacks += asyncio.run(attacks.attack(address_of("A"), how, ATTACK_SECONDS))

    def close(self) -> None:
        """Tell everything to stop: servers first, as a machine that is shut down does."""
        for name in sorted(self.processes):
            self.processes[name].terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for keeper in self.keepers:  # till nobody writes any more: logs are whole then
            with suppress(subprocess.TimeoutExpired):
                keeper.wait(20)


FAULTS = (
    Site.attack,
    Site.kill_worker,
    Site.kill_server,
    Site.stop_database,
    Site.kill_dask_worker,
    Site.fill_disk,
    Site.stop_server,
    Site.move_clock,
)


def address_of(name: str) -> str:
    """Return a server's address."""
    return f"http://127.0.0.1:{PORTS[name]}"
