"""Charts on a lecture hall's screen are as large as its type."""

from view.audience.charts import rounds_chart
from view.shared.screen import enlarged
from wlm.audience.votes import Votes


def parts(spec, key: str) -> list:
    """Return all values of a key, however deep."""
    if isinstance(spec, list):
        return [value for item in spec for value in parts(item, key)]
    if not isinstance(spec, dict):
        return []
    return [
        *([spec[key]] if key in spec else []),
        *(found for value in spec.values() for found in parts(value, key)),
    ]


def test_an_enlarged_chart_has_larger_type_marks_and_height_and_the_same_rows():
    chart = rounds_chart([Votes((7, 3), 0), Votes((2, 8), 1)])
    large = enlarged(chart, 2.0)
    for key in ("fontSize", "labelFontSize", "strokeWidth", "dy", "step"):
        assert parts(chart, key)
        assert parts(large, key) == [2 * length for length in parts(chart, key)]
    (point,) = [mark for mark in parts(chart, "mark") if mark["type"] == "point"]
    (large_point,) = [mark for mark in parts(large, "mark") if mark["type"] == "point"]
    assert large_point["size"] == 4 * point["size"]  # an area
    assert parts(large, "strokeDash") == [[12, 8]]
    assert parts(large, "values") == parts(chart, "values")
    assert enlarged(chart, 1.0) is chart
