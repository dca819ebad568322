"""Charts that are built once and kept: a rerun of a page draws them as they are."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from functools import wraps

from view.shared.charts import Spec

MOST_CHARTS, MOST_BYTES = 256, 8_000_000  # that are kept, and their size as JSON


class Built:
    """The charts that were drawn last, by what they were built from; who gets one must not change
    it. At most so many, of so many bytes together."""

    def __init__(self, most: int = MOST_CHARTS, most_bytes: int = MOST_BYTES):
        self.most, self.most_bytes = most, most_bytes
        self.bytes = 0
        self._lock = threading.Lock()
        self._charts: OrderedDict[Hashable, tuple[Spec, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._charts)

    def get(self, key: Hashable) -> Spec | None:
        """Return a chart that is kept, if it is."""
        with self._lock:
            if key not in self._charts:
                return None
            self._charts.move_to_end(key)
            return self._charts[key][0]

    def keep(self, key: Hashable, chart: Spec) -> None:
        """Keep a chart; those that were not asked for longest make room."""
        size = len(json.dumps(chart))
        with self._lock:
            self.bytes += size - self._charts.pop(key, (None, 0))[1]
            self._charts[key] = chart, size
            while len(self) > self.most or (len(self) > 1 and self.bytes > self.most_bytes):
                self.bytes -= self._charts.popitem(last=False)[1][1]


BUILT = Built()


def built_once(build: Callable[..., Spec]) -> Callable[..., Spec]:
    """Have a function's charts kept: from equal arguments a chart is built once."""

    @wraps(build)
    def built(*arguments, **options) -> Spec:
        key = build.__module__, build.__qualname__, _frozen(arguments), _frozen(options)
        if (chart := BUILT.get(key)) is None:
            chart = build(*arguments, **options)
            BUILT.keep(key, chart)
        return chart

    return built


def _frozen(value) -> Hashable:
    if is_dataclass(value):
        return type(value), _frozen(vars(value))
    if isinstance(value, dict):
        return tuple((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value
