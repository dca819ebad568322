"""Things made once and kept for the next who asks, as many as memory is meant for."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class BoundedCache:
    """The things that were asked for last, by key: at most so many, and of so many bytes together
    as `size` tells; the last one is kept whatever its size. Who gets one must not change it."""

    def __init__(self, most: int, most_bytes: int, size: Callable[[object], int]):
        self.most, self.most_bytes, self.bytes, self.made = most, most_bytes, 0, 0
        self._size, self._lock = size, threading.Lock()
        self._things: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._things)

    def get(self, key: Hashable, make: Callable[[], object]):
        """Return what is kept, or else what `make` returns; who asks meanwhile waits for that."""
        with self._lock:
            if (found := self._found(key)) is not None:
                return found
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if (found := self._found(key)) is not None:
                    return found
            try:
                made = make()
                self._keep(key, made)
                return made
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def find(self, key: Hashable):
        """Return what is kept, or None."""
        with self._lock:
            return self._found(key)

    def drop(self, key: Hashable) -> None:
        """Keep a thing no longer, if it is there."""
        with self._lock:
            self.bytes -= self._things.pop(key, (None, 0))[1]

    def clear(self) -> None:
        """Keep nothing of what is there."""
        for key in list(self._things):
            self.drop(key)

    def _found(self, key: Hashable):
        if key not in self._things:
            return None
        self._things.move_to_end(key)
        return self._things[key][0]

    def _keep(self, key: Hashable, made: object) -> None:
        size = self._size(made)
        with self._lock:
            self._things[key] = made, size
            self.bytes += size
            self.made += 1
            while len(self) > self.most or (len(self) > 1 and self.bytes > self.most_bytes):
                self.bytes -= self._things.popitem(last=False)[1][1]
