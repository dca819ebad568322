"""Charts that are built once and cached: a rerun of a page draws them without building them
again."""

import json
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from functools import wraps

from view.shared.charts import Spec
from wlm.bounded_cache import BoundedCache

BUILT = BoundedCache(most=256, most_bytes=8_000_000, size=lambda chart: len(json.dumps(chart)))


def built_once(build: Callable[..., Spec]) -> Callable[..., Spec]:
    """Cache a function's charts: a chart is built once for equal arguments."""

    @wraps(build)
    def built(*arguments, **options) -> Spec:
        key = build.__module__, build.__qualname__, _frozen(arguments), _frozen(options)
        return BUILT.get(key, lambda: build(*arguments, **options))

    return built


def _frozen(value) -> Hashable:
    if is_dataclass(value):
        return type(value), _frozen(vars(value))
    if isinstance(value, dict):
        return tuple((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value
