"""What holds for every chart: names for screen readers, and axes that end at the data."""

import ast
from collections.abc import Iterator, Sequence

import pytest
from altair.utils.schemapi import debug_mode
from test_charts import ALL, MAKE, chart_of, values

from helpers.driver import ROOT
from view.shared.chart_cache import BUILT
from view.shared.charts import Spec


def units(spec: Spec, rows: Sequence[dict] = ()) -> Iterator[tuple[dict, Sequence[dict]]]:
    """Every layer of marks with its rows, however deep."""
    rows = (spec.get("data") or {}).get("values", rows)
    for layer in spec.get("layer", []):
        yield from units(layer, rows)
    if "mark" in spec:
        yield spec, rows


def test_every_chart_of_the_pages_is_tested_here():
    pages = {
        f"{path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}.{node.name}"
        for path in (ROOT / "view").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        and "built_once" in map(ast.unparse, node.decorator_list)
    }
    BUILT.clear()
    with debug_mode(True):  # Altair refuses a part that Vega-Lite does not know
        for make in MAKE.values():
            make()
    assert {f"{module}.{name}" for module, name, *_ in BUILT._things} == pages


@ALL
def test_a_chart_has_a_description_and_each_mark_a_name_or_none_to_be_read(name):
    chart = chart_of(name)
    assert chart["description"].endswith(".") and len(chart["description"].split()) > 4
    for unit, _ in units(chart):
        told = unit["encoding"].get("tooltip")
        assert unit["mark"].get("aria") is False or "description" in unit["encoding"]
        assert not told or all(axis["title"] for axis in told)
    assert "_" not in "".join(title for title in values(chart, "title") if isinstance(title, str))


@ALL
def test_a_mark_is_named_by_its_tooltip(name):
    for unit, _ in units(chart_of(name)):
        if "description" in unit["encoding"]:
            expression = unit["encoding"]["description"]["value"]["expr"]
            for told in unit["encoding"]["tooltip"]:
                assert f'"{told["title"]}: "' in expression
                assert f"datum['{told['field']}']" in expression


AXES = {"sqrt": "square", "log": "log"}  # what the title of such an axis says


def extents(chart: Spec, axis: str) -> tuple[float, float]:
    """Return the lowest and the highest value along an axis of all layers."""
    found = []
    for unit, rows in units(chart):
        for place in (axis, f"{axis}2"):
            channel = unit["encoding"].get(place, {})
            found += [row[channel["field"]] for row in rows if channel.get("field") in row]
            found += [channel["datum"]] if "datum" in channel else []
    found = [number for number in found if isinstance(number, int | float)]
    return min(found), max(found)


@ALL
@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_axis_ends_at_the_data_and_names_an_unusual_scale(name, axis):
    chart = chart_of(name)
    for unit, _ in units(chart):
        channel = unit["encoding"].get(axis, {})
        scale, title = channel.get("scale"), channel.get("title") or ""
        if channel.get("type") != "quantitative" or channel.get("axis", {}) is None or not scale:
            continue  # no axis, or the axis of another layer
        kind, ticks = scale.get("type", "linear"), (channel.get("axis") or {}).get("values")
        assert kind not in AXES or AXES[kind] in title
        low, high = extents(chart, axis)
        low, high = min(low, 1.0 if kind == "log" else 0.0), max(high, 0.0)
        if "share" in title or "probability" in title:
            high = max(high, 1.0)
        room = 1e-6 * (high - low)
        ends = ticks or scale.get("domain", [low, high])
        assert low - room <= min(ends) and max(ends) <= high + room
        assert scale.get("nice") is False or "domain" in scale
