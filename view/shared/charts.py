"""What the pages' charts have in common: how their Vega-Lite is written, their type and the ink.

A chart is data, a specification in Vega-Lite that the browser draws: colours are the theme's, and
change with it there.
"""

LABEL_SIZE = 16
VALUE_SIZE = 20
SMALL_SIZE = 14
GREY = "#8c98a4"  # for reference marks: visible on light and on dark
# The browser works it out, of the page's background: the theme's greys are too faint for a lecture
# hall.
INK = {"expr": "luminance(background) > 0.2 ? '#17202a' : '#e8eef4'"}
# An axis' label on two lines, "int8" above "LSTM + Linear": side by side, or on a phone, charts are
# narrow.
TWO_LINES = (
    "indexof(datum.label, ' ') < 0 ? datum.label : "
    "[slice(datum.label, 0, indexof(datum.label, ' ')), "
    "slice(datum.label, indexof(datum.label, ' ') + 1)]"
)

Spec = dict  # Vega-Lite's JSON, or a part of it


def chart(*layers: Spec, height: float | Spec) -> Spec:
    """Return a chart as wide as its place, of type that reads from the last row of a lecture
    hall."""
    axis = {"labelFontSize": LABEL_SIZE, "titleFontSize": LABEL_SIZE, "grid": False}
    return {
        "layer": list(layers),
        "height": height,
        "config": {
            "axis": {**axis, "labelColor": INK, "titleColor": INK},
            "legend": {"labelFontSize": SMALL_SIZE, "labelColor": INK},
        },
    }


def group(rows: list[dict], *layers: Spec, **more) -> Spec:
    """Return layers that draw the same rows."""
    return {"data": {"values": rows}, "layer": list(layers), **more}


def layer(mark: Spec, rows: list[dict] | None = None, **channels: Spec) -> Spec:
    """Return marks, one a row, of the rows given or else of the group's."""
    data = {} if rows is None else {"data": {"values": rows}}
    return {**data, "mark": mark, "encoding": channels}


def mark(type: str, **look) -> Spec:
    """Return what a row is drawn as."""
    return {"type": type, **look}


def words(size: int = SMALL_SIZE, **look) -> Spec:
    """Return words as what a row is drawn as."""
    return mark("text", fontSize=size, fontWeight=600, **look)


def quantity(field: str, **options) -> Spec:
    """Return a channel that shows a number of each row."""
    return {"field": field, "type": "quantitative", **options}


def category(field: str, **options) -> Spec:
    """Return a channel that shows a name of each row."""
    return {"field": field, "type": "nominal", **options}


def colored(labels: list[str], legend: Spec | None = None, field: str = "label") -> Spec:
    """Return the colours of some labels by their order, so that each has one in every chart."""
    return category(field, scale={"domain": labels}, legend=legend)


def legend(orient: str = "bottom", **options) -> Spec:
    """Return a legend without a title."""
    return {"title": None, "orient": orient, "labelLimit": 300, **options}
