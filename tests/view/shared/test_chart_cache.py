"""Charts kept: what a chart was built from tells it."""

import json
from dataclasses import dataclass

import pytest

from view.shared import chart_cache
from view.shared.chart_cache import BUILT, built_once
from wlm.bounded_cache import BoundedCache


@pytest.fixture(autouse=True)
def own_charts(monkeypatch) -> BoundedCache:
    charts = BoundedCache(BUILT.most, BUILT.most_bytes, BUILT._size)
    monkeypatch.setattr(chart_cache, "BUILT", charts)
    return charts


@dataclass(frozen=True)
class Point:
    values: list[float]


def test_from_equal_arguments_a_chart_is_built_once(own_charts):
    @built_once
    def build(*arguments, **options) -> dict:
        return {"of": str(arguments), **options}

    first = build([1.0, None], {"a": [Point([2.0])]}, title="t")
    assert build([1.0, None], {"a": [Point([2.0])]}, title="t") is first
    assert build([1.0, None], {"a": [Point([3.0])]}, title="t") is not first
    assert build([1.0, None], {"a": [Point([2.0])]}, title="other") is not first
    assert own_charts.made == 3


def test_a_charts_size_is_that_of_its_json(own_charts):
    @built_once
    def build(letters: int) -> dict:
        return {"text": "x" * letters}

    chart = build(1000)
    assert own_charts.bytes == len(json.dumps(chart))
    for letters in range(100_000, 100_200):
        build(letters)
    assert own_charts.bytes <= own_charts.most_bytes
    assert len(own_charts) < 100
