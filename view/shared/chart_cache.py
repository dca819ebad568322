"""Charts that are built once and cached: a rerun of a page draws them without building them
again."""

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256

from view.shared.charts import Spec
from wlm.bounded_cache import BoundedCache

BUILT = BoundedCache(most=256, most_bytes=8_000_000, size=lambda chart: len(json.dumps(chart)))


def built_once(build: Callable[..., Spec]) -> Callable[..., Spec]:
    """Cache a function's charts: a chart is built once for equal arguments, which are plain data
    and dataclasses, so that `repr` tells them apart."""

    @wraps(build)
    def built(*arguments, **options) -> Spec:
        told = repr((arguments, options))
        key = build.__module__, build.__qualname__, sha256(told.encode()).digest()
        return BUILT.get(key, lambda: build(*arguments, **options))

    return built
