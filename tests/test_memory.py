"""Memory given back to the system."""

import gc
import sys

import psutil
import pytest

from wlm import memory


@pytest.mark.slow
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
    def windows(_name) -> None:
        raise TypeError("bad argument type for built-in operation")

    monkeypatch.setattr(memory.ctypes, "CDLL", windows)
    monkeypatch.setattr(memory, "_libc", memory._libc.__wrapped__)
    memory.give_back()
    memory.share_heaps.__wrapped__()


def test_modules_are_left_out_of_collections_when_there_are_many_more(monkeypatch):
    monkeypatch.setattr(memory, "_spared", 0)
    try:
        memory.spare_modules()
        frozen = gc.get_freeze_count()
        assert frozen > 1000
        kept = [[] for _ in range(1000)]
        memory.spare_modules()
        assert gc.get_freeze_count() <= frozen
        many = {f"no_such_module_{i}": sys for i in range(memory.MANY_MODULES)}
        monkeypatch.setattr(sys, "modules", sys.modules | many)
        memory.spare_modules()
        assert gc.get_freeze_count() >= frozen + len(kept)
    finally:
        gc.unfreeze()
