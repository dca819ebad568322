"""Benchmarks, which run by hand alone: each can be imported."""

import importlib
from pathlib import Path

import pytest

import benchmarks

NAMES = sorted(path.stem for path in Path(benchmarks.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_imported(name):
    pytest.importorskip("playwright")
    importlib.import_module(f"benchmarks.{name}")
