"""Memory of this process: given back to the system, and not walked in vain."""

import ctypes
import gc
import sys
from functools import cache

M_ARENA_MAX = -8  # glibc's number for the setting that MALLOC_ARENA_MAX is, too
MANY_MODULES = 50
_spared = 0  # so many modules had been loaded


def give_back() -> None:
    """Collect garbage and give the system what is free of this process's heap."""
    gc.collect()
    if trim := getattr(_libc(), "malloc_trim", None):  # glibc has it, musl and macOS have not
        trim(0)


@cache
def share_heaps(most: int = 2) -> None:
    """Have threads that start from now on share so many heaps: many small ones keep what their
    threads have left, a page's for example, each for itself."""
    if set_option := getattr(_libc(), "mallopt", None):
        set_option(M_ARENA_MAX, most)


def spare_modules() -> None:
    """Leave what modules hold out of collections of garbage, once there are many more of them:
    torch and its like leave some 300,000 objects, which are walked for 0.1 s and more."""
    global _spared
    if len(sys.modules) >= _spared + MANY_MODULES:
        _spared = len(sys.modules)
        gc.collect()
        gc.freeze()


@cache
def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
