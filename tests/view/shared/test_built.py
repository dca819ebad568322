"""Charts kept: what from, how many, and how much."""

import threading
from dataclasses import dataclass

import pytest

from view.shared import built
from view.shared.built import Built, built_once


@pytest.fixture(autouse=True)
def own_charts(monkeypatch) -> Built:
    charts = Built(most=3, most_bytes=1000)
    monkeypatch.setattr(built, "BUILT", charts)
    return charts


@pytest.fixture
def build():
    """A function that builds charts, and notes for which arguments it was called."""

    @built_once
    def build(*arguments, **options) -> dict:
        build.calls.append(arguments)
        return {"of": str(arguments), **options}

    build.calls = []
    return build


@dataclass(frozen=True)
class Point:
    values: list[float]


def test_from_equal_arguments_a_chart_is_built_once(build):
    first = build([1.0, None], {"a": [Point([2.0])]}, title="t")
    assert build([1.0, None], {"a": [Point([2.0])]}, title="t") is first
    assert build([1.0, None], {"a": [Point([3.0])]}, title="t") is not first
    assert build([1.0, None], {"a": [Point([2.0])]}, title="other") is not first
    assert len(build.calls) == 3


def test_those_not_asked_for_longest_make_room_for_others(build, own_charts):
    for i in (1, 2, 3, 1, 4):
        build(i)
    assert len(own_charts) == 3
    for i in (1, 3, 4):
        build(i)
    assert [i for (i,) in build.calls] == [1, 2, 3, 4]


def test_kept_charts_take_so_many_bytes_and_no_more(build, own_charts):
    for i in range(3):
        build("x" * 400, i)
    assert len(own_charts) == 2 and own_charts.bytes <= 1000
    build("y" * 5000)
    assert len(own_charts) == 1  # the one that is drawn now
    build("z")
    assert own_charts.bytes < 100


def test_charts_are_built_by_several_threads_at_once(build, own_charts):
    threads = [threading.Thread(target=build, args=(i % 5,)) for i in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(own_charts) == 3
    assert own_charts.bytes == sum(size for _, size in own_charts._charts.values())
