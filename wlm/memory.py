"""The memory of this process: return free memory to the system, keep garbage collections short."""

import ctypes
import gc
import sys
from functools import cache

M_ARENA_MAX = -8  # glibc's number of the setting MALLOC_ARENA_MAX
MANY_MODULES = 50
_spared = 0  # modules loaded at the last freeze


def give_back() -> None:
    """Collect garbage and return the free memory of this process to the system."""
    gc.collect()
    if trim := getattr(_libc(), "malloc_trim", None):  # in glibc, not in musl and macOS
        trim(0)


@cache
def share_heaps() -> None:
    """Have later threads share two heaps: with one heap per thread, the memory that a thread has
    freed, a page's for example, stays in its heap."""
    if set_option := getattr(_libc(), "mallopt", None):
        set_option(M_ARENA_MAX, 2)


def spare_modules() -> None:
    """Exclude the objects of modules from garbage collection after many imports. torch and similar
    packages leave about 300,000 objects, which take 0.1 s and more per collection."""
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
