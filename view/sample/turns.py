"""Whose turn it is: a bounded number at once, the others in the order in which they came."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

AT_ONCE = 2  # visitors whose texts are drawn at the same time, by threads of this process


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


@st.cache_resource(show_spinner=False)
def _turns() -> Turns:
    return Turns(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn to draw, and say how many are ahead."""
    with _turns().join() as ahead:
        place = st.empty()
        while waiting := ahead():
            others = "1 visitor is" if waiting == 1 else f"{waiting} visitors are"
            place.info(f"{others} ahead of you.", icon=":material/hourglass_top:")
            time.sleep(0.2)
        place.empty()
        yield
