"""Things of which a server has one.

They are not in Streamlit's caches: a visitor's browser can ask Streamlit to clear those, and a
limit would begin anew.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Thing = TypeVar("Thing")
_forgets: list[Callable[[], None]] = []


def singleton(make: Callable[[], Thing]) -> Callable[[], Thing]:
    """Have a function's value made at its first call, by one thread, and kept. If it raises, the
    next call tries again. `made` holds the
    value if there is one, and `clear` forgets it."""
    made: list[Thing] = []
    lock = threading.RLock()

    @wraps(make)
    def get() -> Thing:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    get.made, get.clear = made, made.clear
    _forgets.append(made.clear)
    return get


def forget_all() -> None:
    """Forget every such value, so that the next test makes its own."""
    for forget in _forgets:
        forget()
