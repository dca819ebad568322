"""A cache for things that are made once and shared, with a limit on its memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class BoundedCache:
    """The most recently used things, by key. The cache limits their number, and their total bytes
    as `size` measures them; it keeps the last thing whatever its size. Callers must not change the
    things that they get."""

    def __init__(self, most: int, most_bytes: int, size: Callable[[object], int]):
        self.most, self.most_bytes, self.bytes, self.made = most, most_bytes, 0, 0
        self._size, self._lock = size, threading.Lock()
        self._things: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._things)

    def get(self, key: Hashable, make: Callable[[], object]):
        """Return the cached thing, or else make it with `make`. Callers who ask for the same key in
        the meantime wait for it."""
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
        """Return the cached thing, or None."""
        with self._lock:
            return self._found(key)

    def drop(self, key: Hashable) -> None:
        """Remove a thing from the cache, if it is there."""
        with self._lock:
            self.bytes -= self._things.pop(key, (None, 0))[1]

    def clear(self) -> None:
        """Remove everything from the cache."""
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
