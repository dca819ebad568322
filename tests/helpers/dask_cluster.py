"""A Dask cluster of several processes."""

import socket
import subprocess
import sys
from importlib import import_module

from helpers.waiting import PATIENCE, wait_for
from wlm.paths import child_environment
from wlm.runs.cluster import ClusterQueue


class Cluster:
    """A scheduler and workers, each in a separate process."""

    def __init__(self, port: int):
        self.address = f"tcp://127.0.0.1:{port}"
        self.workers: list[subprocess.Popen] = []
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        self.scheduler = self._start("scheduler", *options)
        wait_for(lambda: _listens(port), "the scheduler")

    def add_worker(self, *, resources: str = "wlm=1") -> subprocess.Popen:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--resources", resources]
        self.workers.append(self._start("worker", self.address, *options))
        return self.workers[-1]

    def warm_up(self, queue: ClusterQueue) -> None:
        """Wait until all workers are there and have loaded what a run needs, so that runs begin
        side by side."""
        queue.start()
        queue._client.wait_for_workers(len(self.workers), timeout=PATIENCE)
        queue._client.run(import_module, "wlm.runs.execute")

    def _start(self, what: str, *options: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *options],
            env=child_environment(),
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
