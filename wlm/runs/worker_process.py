"""A worker process, and the lines that wait to be sent to it."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping

from wlm.errors import JobError
from wlm.paths import child_environment


class WorkerProcess:
    """`python -m wlm worker`, which gets run ids and jobs as lines on its standard input.

    A thread writes the lines, so that nobody waits for a worker that does not read. Raises
    JobError if it cannot be started.
    """

    def __init__(self, settings: Mapping[str, str]):
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wlm", "worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                bufsize=0,
                # Passed in the environment: every user of a machine can read arguments.
                env=child_environment(**settings),
                start_new_session=True,  # only the server handles Ctrl-C in a terminal
            )
        except (OSError, MemoryError) as error:
            raise JobError(f"the worker process cannot be started: {error}") from None
        self.pid = self._process.pid
        self.ended = threading.Event()
        self._lines: deque[str] = deque()
        self._job = ""  # the latest job to prefetch, written if no other line is
        self._changed = threading.Condition()
        self._start_thread(self._write)

    def send(self, line: str) -> None:
        """Queue a line, to be written after the lines before it."""
        with self._changed:
            self._lines.append(line)
            self._job = ""  # a run takes it, or there is other work
            self._changed.notify()

    def suggest(self, line: str) -> None:
        """Queue a line, to be written when no other line waits, unless a newer one comes first."""
        with self._changed:
            self._job = line
            self._changed.notify()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._process.kill()

    def wait(self) -> str:
        """Wait until the process ends; return in words how it ended."""
        code = self._process.wait()
        with self._changed:
            self.ended.set()
            self._changed.notify()
        return how_it_ended(code)

    def watch(self, *watchers: Callable[["WorkerProcess"], None]) -> None:
        """Start a thread for each of these. Raises JobError if there can be no more threads."""
        for watcher in watchers:
            self._start_thread(watcher, self)

    def _start_thread(self, target: Callable, *arguments) -> None:
        try:
            threading.Thread(target=target, args=arguments, daemon=True).start()
        except (RuntimeError, MemoryError) as error:
            self.kill()
            self.wait()
            raise JobError(f"the worker process cannot be watched: {error}") from None

    def _write(self) -> None:
        while line := self._next_line():
            unwritten = memoryview(line.encode() + b"\n")
            try:
                while unwritten:
                    unwritten = unwritten[self._process.stdin.write(unwritten) :]
            except OSError:
                break  # it has just ended
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _next_line(self) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._job or self.ended.is_set())
            if self._lines:
                return self._lines.popleft()
            job, self._job = self._job, ""
            return job


def how_it_ended(code: int) -> str:
    """Return in words how a process with this return code ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # such as a real-time signal
        return f"killed by signal {-code}"
