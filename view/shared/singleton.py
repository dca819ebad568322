"""Objects that exist once per server.

They are not in Streamlit's caches, because a visitor's browser can ask Streamlit to clear those
caches, and a limit would then start over.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Thing = TypeVar("Thing")
_forgets: list[Callable[[], None]] = []


def singleton(make: Callable[[], Thing]) -> Callable[[], Thing]:
    """Make a function's value at the first call, in one thread, and keep it. If the function
    raises, the next call tries again. `made` holds the value if there is one, and `clear` forgets
    it."""
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
    """Forget all of these values, so that the next test makes its own."""
    for forget in _forgets:
        forget()
