"""A queue for writing texts: a limited number of visitors write at once, the others wait."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from view.shared import visitor
from view.shared.singleton import singleton

AT_ONCE = 2  # visitors whose texts are drawn at the same time, by threads of this process


@dataclass(eq=False)
class Ticket:
    """A place in line, and whether it is that place's turn."""

    visitor: str
    begun: bool = False


class WriteQueue:
    """A queue for work that would slow down everyone if done at once.

    A visitor has one place: if the visitor opens more tabs, these are behind everyone. Nobody is
    blocked: a page that waits asks again, and can be stopped meanwhile.
    """

    def __init__(self, places: int):
        self._places = places
        self._line: list[Ticket] = []
        self._lock = threading.Lock()

    @contextmanager
    def join(self, visitor: str) -> Iterator[Callable[[], int]]:
        """Hold a place in line until the block ends, for any reason. The value is a function that
        returns how many must still finish first."""
        ticket = Ticket(visitor)
        with self._lock:
            self._line.append(ticket)
        try:
            yield lambda: self._ahead_of(ticket)
        finally:
            with self._lock:
                self._line.remove(ticket)

    def _ahead_of(self, ticket: Ticket) -> int:
        with self._lock:
            texts: Counter[str] = Counter()
            ranks: dict[Ticket, tuple[bool, int]] = {}
            for other in self._line:
                # A visitor's second text comes after every other visitor's first.
                ranks[other] = not other.begun, texts[other.visitor]
                texts[other.visitor] += 1
            ahead = sorted(ranks, key=ranks.get).index(ticket)  # of equal rank, the earlier first
            ticket.begun |= ahead < self._places
            return 0 if ticket.begun else ahead - self._places + 1


@singleton
def _queue() -> WriteQueue:
    return WriteQueue(AT_ONCE)


@contextmanager
def wait_to_write() -> Iterator[None]:
    """Wait for a place to write, and show how many visitors are ahead."""
    with _queue().join(visitor.name()) as ahead:
        place = st.empty()
        while waiting := ahead():
            others = "1 visitor is" if waiting == 1 else f"{waiting} visitors are"
            place.info(f"{others} ahead of you.", icon=":material/hourglass_top:")
            time.sleep(0.2)
        place.empty()
        yield
