"""Limits per network address on what visitors may do within a time."""

import threading
import time
from collections.abc import Callable, Hashable

MOST_ADDRESSES = 10_000  # remembered: the one that was inactive for the longest time goes first


class RateLimit:
    """At most `most` different things per address within `seconds`. Nothing is stored."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic):
        self.most, self.seconds, self._clock = most, seconds, clock
        self._taken: dict[str, dict[Hashable, float]] = {}
        self._lock = threading.Lock()

    def take(self, address: str, thing: Hashable = None) -> bool:
        """Count a thing, by default a new one, and return whether the address may have it. A thing
        that the address already has is allowed, and so is everything from an unknown address."""
        if not address:
            return True
        thing = object() if thing is None else thing
        with self._lock:
            taken = self._of(address)
            if thing not in taken and len(taken) >= self.most:
                return False
            taken[thing] = self._clock()
            self._taken[address] = self._taken.pop(address, taken)  # last: it is the latest
            while len(self._taken) > MOST_ADDRESSES:
                self._taken.pop(next(iter(self._taken)))
            return True

    def is_full(self, address: str) -> bool:
        """Tell whether an address has as many things as allowed."""
        with self._lock:
            return len(self._of(address)) >= self.most

    def has(self, address: str, thing: Hashable) -> bool:
        """Tell whether an address has a thing."""
        with self._lock:
            return thing in self._of(address)

    def _of(self, address: str) -> dict[Hashable, float]:
        since = self._clock() - self.seconds
        taken = self._taken.get(address, {})
        for thing in [thing for thing, at in taken.items() if at <= since]:
            del taken[thing]
        return taken
