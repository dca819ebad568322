"""The memory of the processes that a benchmark has started, while a block lasts. Linux only."""

import threading
from contextlib import suppress

import psutil

LOOK_SECONDS = 0.1
READER = "wlm.weights.limited"  # in the command of a process that reads a file


class Memory:
    """The memory of this process's children in megabytes, before a block, at most and after it; and
    at most that of the children that read files."""

    def __enter__(self) -> "Memory":
        self.before, self.most_of_readers = _megabytes()
        self.most = self.before
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._watching.join()
        self.after, _readers = _megabytes()

    def __str__(self) -> str:
        return f"{self.before:,.0f}, {self.most:,.0f}, {self.after:,.0f}"

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            everything, readers = _megabytes()
            self.most = max(self.most, everything)
            self.most_of_readers = max(self.most_of_readers, readers)


def _megabytes() -> tuple[float, float]:
    """Return the memory of all children, and of those that read files."""
    everything = readers = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            megabytes = child.memory_full_info().pss / 1e6
            everything += megabytes
            if any(READER in word for word in child.cmdline()):
                readers += megabytes
    return everything, readers


def percentile_95(seconds: list[float]) -> float:
    """Return the 95th percentile of some times; infinity for none."""
    return sorted(seconds)[int(0.95 * len(seconds))] if seconds else float("inf")
