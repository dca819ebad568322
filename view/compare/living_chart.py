"""The model drawn to scale, a square a part, and a word on its way through it."""

import math
from collections.abc import Sequence
from itertools import accumulate

import altair as alt

from view.shared.built import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    Spec,
    color_by_label,
    color_by_sign,
    specification,
)
from wlm.explaining.flow import Flow

ABOVE, BELOW, GAP = 230, 84, 1.8  # pixels over and under the ground line; root MB between squares
MOST_VALUES = 512  # of a part, as cells


@built_once
def to_scale(
    parts: list[str], megabytes: list[float], before: list[float], precisions: list[str]
) -> Spec:
    """Return a square a part, of an area in proportion to its megabytes, inside a dashed one of
    what it takes in fp32. A click selects `part`; what is drawn fits any width."""
    sides, wholes = ([math.sqrt(each) for each in many] for many in (megabytes, before))
    starts = list(accumulate((side + GAP for side in wholes[:-1]), initial=GAP / 2))
    width, height = sum(wholes) + GAP * len(parts), 1.04 * max(wholes)
    rows = [
        {
            "part": part,
            "start": start,
            "end": start + side,
            "whole": start + whole,
            "middle": start + whole / 2,
            "top": side,
            "above": whole,
            "precision": precision,
            "size": f"{size:,.1f} MB",
        }
        for part, start, side, whole, precision, size in zip(
            parts, starts, sides, wholes, precisions, megabytes, strict=True
        )
    ]
    # The browser's height is less by the legend's.
    above = f"(height * {ABOVE / (ABOVE + BELOW)})"
    across = f"max({width}, {height} * width / {above})"
    up = f"max({height}, {width} * {above} / width)"
    x = {
        "scale": alt.Scale(
            domain=alt.ExprRef(f"[({width} - {across}) / 2, ({width} + {across}) / 2]"),
            nice=False,
        ),
        "axis": None,
    }
    y = {
        "scale": alt.Scale(domain=alt.ExprRef(f"[-{BELOW / ABOVE} * {up}, {up}]"), nice=False),
        "axis": None,
    }
    base = alt.Chart({"values": rows})
    chosen = alt.selection_point(name="part", fields=["part"], on="click", empty=False)
    boxes = base.encode(
        x=alt.X("start:Q", **x),
        y=alt.Y("ground:Q", **y),
        tooltip=[*map(alt.Tooltip, ("part:N", "precision:N", "size:N"))],
    ).transform_calculate(ground="0")
    color = alt.Color(
        "precision:N",
        scale=alt.Scale(domain=["fp32", "int8"]),
        legend=alt.Legend(title=None, orient="top", symbolType="square"),
    )
    # The whole square can be clicked, however small what is left in it.
    ghost = boxes.mark_rect(
        fillOpacity=0.08, fill=GREY, stroke=GREY, strokeDash=[6, 4], strokeWidth=2, cursor="pointer"
    ).encode(x2=alt.X2("whole:Q"), y2=alt.Y2("above:Q"))
    filled = boxes.mark_rect(cornerRadius=3, cursor="pointer").encode(
        x2=alt.X2("end:Q"), y2=alt.Y2("top:Q"), color=color
    )
    texts = [
        base.mark_text(color=INK, fontSize=LABEL_SIZE, dy=dy, baseline="middle").encode(
            x=alt.X("middle:Q", **x),
            y=alt.YDatum(0, type="quantitative"),
            text=alt.Text(f"{field}:N"),
        )
        for field, dy in (("part", 16), ("precision", 38), ("size", 60))
    ]
    chart = alt.layer(ghost.add_params(chosen), filled, *texts)
    return specification(chart, height=ABOVE + BELOW)


@built_once
def strips(found: Flow) -> Spec:
    """Return a strip of cells a part for the values that it hands on: blue above 0, the other
    colour below, the stronger the larger within its strip."""
    rows = []
    for part, values in found.values.items():
        shown = values[:MOST_VALUES]
        most = max(map(abs, shown)) or 1.0
        rows += [
            {
                "part": part,
                "start": i / len(shown),
                "end": (i + 1) / len(shown),
                "place": i,
                "value": round(value, 5),
                "strength": abs(value) / most,
                "sign": "below 0" if value < 0 else "above 0",
            }
            for i, value in enumerate(shown)
        ]
    chart = (
        alt.Chart({"values": rows})
        .mark_rect()
        .encode(
            x=alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
            x2=alt.X2("end:Q"),
            y=alt.Y(
                "part:N",
                sort=list(found.values),
                title=None,
                axis=alt.Axis(ticks=False, domain=False),
                scale=alt.Scale(padding=0.2),
            ),
            color=color_by_sign(),
            fillOpacity=alt.FillOpacity("strength:Q", scale=None, legend=None),
            tooltip=[*map(alt.Tooltip, ("part:N", "place:Q", "value:Q"))],
        )
    )
    return specification(alt.layer(chart), height=34 * len(found.values) + 50)


@built_once
def likely(words: Sequence[tuple[str, float]], label: str) -> Spec:
    """Return the likeliest next words as bars with their probabilities, likeliest first, in the
    color of the variant with this label."""
    rows = [{"word": word, "probability": share, "label": label} for word, share in words]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "probability:Q",
            axis=None,
            scale=alt.Scale(domain=[0, 1.5 * max(share for _, share in words)], nice=False),
        ),
        y=alt.Y("word:N", sort=None, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
        tooltip=[alt.Tooltip("word:N"), alt.Tooltip("probability:Q", format=".3%")],
    )
    shares = base.mark_text(fontSize=LABEL_SIZE, align="left", dx=6, color=INK)
    chart = alt.layer(
        base.mark_bar(cornerRadiusEnd=3).encode(color=color_by_label([label])),
        shares.encode(text=alt.Text("probability:Q", format=".1%")),
    )
    return specification(chart, height=38 * len(rows))
