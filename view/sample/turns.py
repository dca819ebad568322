"""Whose turn it is: a bounded number at once, the others in the order in which they came."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """A queue for work that would slow down everyone if all did it at once.

    `with turns.join() as ahead:` stands in line until the block ends, however it ends; `ahead()`
    tells how many must still finish first. Nobody is blocked: who waits asks again, and can be
    stopped meanwhile.
    """

    def __init__(self, places: int):
        self._places, self._line = places, []
        self._lock = threading.Lock()

    @contextmanager
    def join(self) -> Iterator[Callable[[], int]]:
        """Stand in line; the value tells how many must finish before it is one's turn."""
        ticket = object()
        with self._lock:
            self._line.append(ticket)
        try:
            yield lambda: self._ahead_of(ticket)
        finally:
            with self._lock:
                self._line.remove(ticket)

    def _ahead_of(self, ticket: object) -> int:
        with self._lock:
            return max(0, self._line.index(ticket) - self._places + 1)
