"""The roofline as a chart: what the machine can do at best, and what each module does of it."""

import altair as alt
import pandas as pd

from view.inspect.charts import color_of_variants
from view.shared.charts import readable
from wlm.inspecting.roofline import Roofline


def roofline(points: list[dict], roof: Roofline, *, ink: str) -> alt.LayerChart:
    """Return the machine's ceilings as lines and modules as points: operations per byte against
    operations per second, both on log axes. Each point has label, module, ops_per_byte and
    ops_per_s."""
    peaks = {"fp32 peak": roof.fp32_ops_per_s, "int8 peak": roof.int8_ops_per_s}
    peaks = {name: each for name, each in peaks.items() if each}
    slopes = {"caches": roof.cache_bytes_per_s, "memory": roof.memory_bytes_per_s}
    # Room at the left for the slopes' names, at the right for the peaks'.
    left = min(each["ops_per_byte"] for each in points) / 10
    right = 15 * max(
        *(each["ops_per_byte"] for each in points), max(peaks.values()) / min(slopes.values())
    )
    low = min(left * min(slopes.values()), *(each["ops_per_s"] for each in points)) / 1e9 / 4
    high = max(*peaks.values(), *(each["ops_per_s"] for each in points)) / 1e9 * 2.2
    lines, above = [], []
    for name, speed in slopes.items():
        bend = max(peaks.values()) / speed
        lines += [
            {"line": name, "x": at, "y": at * speed / 1e9, "from_memory": name == "memory"}
            for at in (left, bend)
        ]
    for name, peak in peaks.items():
        start = peak / max(slopes.values())
        lines += [
            {"line": name, "x": at, "y": peak / 1e9, "from_memory": True} for at in (start, right)
        ]
        above.append({"x": right, "y": peak / 1e9, "words": name})
    x = alt.X(
        "x:Q",
        title="operations per byte moved",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=alt.Axis(values=[0.1, 1, 10, 100, 1000], format="~g"),
    )
    y = alt.Y(
        "y:Q",
        title="billion operations per second",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=[0.1, 1, 10, 100, 1000, 10000], format="~g"),
    )
    ceilings = (
        alt.Chart(pd.DataFrame(lines))
        .mark_line(color=ink, strokeWidth=2, clip=True)
        .encode(
            x=x,
            y=y,
            detail="line:N",
            strokeDash=alt.StrokeDash(
                "from_memory:N",
                scale=alt.Scale(domain=[True, False], range=[[1, 0], [5, 4]]),
                legend=None,
            ),
        )
    )
    data = pd.DataFrame(
        [{**each, "x": each["ops_per_byte"], "y": each["ops_per_s"] / 1e9} for each in points]
    )
    labels = list(dict.fromkeys(each["label"] for each in points))
    color = color_of_variants(labels, shown=set(labels))
    shape = alt.Shape(
        "module:N",
        scale=alt.Scale(domain=["LSTM", "decoder"], range=["circle", "square"]),
        legend=alt.Legend(
            title=None,
            orient="bottom",
            symbolFillColor=ink,
            symbolStrokeWidth=0,
            values=list(dict.fromkeys(data["module"])),
            columns=1,
        ),
    )
    dots = (
        alt.Chart(data)
        .mark_point(filled=True, size=170, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape, tooltip=["label:N", "module:N", "x:Q", "y:Q"])
    )
    layers = [ceilings, dots]
    if len(labels) <= 2:  # the same module of more variants lies in one place: names would meet
        higher = data["y"] >= data.groupby("label")["y"].transform("max")
        for chosen, place in ((data[higher], -16), (data[~higher], 17)):
            words = alt.Chart(chosen).mark_text(dy=place, fontSize=14, fontWeight=600)
            layers.append(words.encode(x=x, y=y, text="module:N", color=color))
    # Each name lies on the side of its line that is empty.
    bend = max(peaks.values()) / roof.cache_bytes_per_s / 1.4
    places = [
        (above, {"align": "right", "dy": -10}),
        (
            [{"x": bend, "y": bend * roof.cache_bytes_per_s / 1e9, "words": "caches"}],
            {"align": "right", "dx": -10},
        ),
        (
            [{"x": left, "y": left * roof.memory_bytes_per_s / 1e9, "words": "memory"}],
            {"align": "left", "dx": 6, "dy": 12},
        ),
    ]
    for rows, place in places:
        words = alt.Chart(pd.DataFrame(rows)).mark_text(**place, fontSize=13, color=ink)
        layers.append(words.encode(x=x, y=y, text="words:N"))
    return readable(alt.layer(*layers).properties(height=440), ink)
