"""Memory given back to the system."""

import gc
import sys

import psutil
import pytest

from wlm import memory


@pytest.mark.skipif(sys.platform != "linux", reason="the C library may know no such thing")
def test_memory_that_is_free_goes_back_to_the_system():
    def held() -> int:
        return psutil.Process().memory_info().rss

    before = held()
    pieces = [bytes(1000) for _ in range(100_000)]  # too small for a mapping of their own
    kept = pieces[::5000]  # they lie among the others, and the end of the heap is in use
    del pieces
    gc.collect()
    memory.give_back()
    assert len(kept) == 20
    assert held() - before < 30e6


def test_a_system_without_such_a_library_does_without(monkeypatch):
    monkeypatch.setattr(memory, "_libc", lambda: None)
    memory.give_back()
    memory.share_arenas()
