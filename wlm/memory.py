"""Memory of this process that is given back to the system, where its C library can do that."""

import ctypes
import gc
from functools import cache

M_ARENA_MAX = -8  # glibc's number for the setting that MALLOC_ARENA_MAX is, too


def give_back() -> None:
    """Collect garbage and give the system what is free of this process's heap."""
    gc.collect()
    if trim := getattr(_libc(), "malloc_trim", None):  # glibc has it, musl and macOS have not
        trim(0)


def share_arenas(most: int = 2) -> None:
    """Have threads that start from now on share so many heaps: each would else keep what its
    short-lived threads have left."""
    if set_option := getattr(_libc(), "mallopt", None):
        set_option(M_ARENA_MAX, most)


@cache
def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
