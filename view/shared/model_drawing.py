"""The one drawing of a model: its parts as squares to scale."""

import math
from collections.abc import Callable, Mapping
from itertools import accumulate

import altair as alt
import streamlit as st

from view.shared import server
from view.shared.chart_cache import built_once
from view.shared.charts import GREY, INK, LABEL_SIZE, VARIANTS, Spec, specification
from view.shared.screen import enlarged, zoom
from wlm.inspecting.parts import module_bytes
from wlm.model.parts import PARTS
from wlm.quantization.variant import OFFERED, Variant

ABOVE, BELOW, GAP = 230, 84, 1.8  # pixels above and below the ground line; root MB between squares
HEIGHT = ABOVE + BELOW
ORDER = ("embedding", "lstm", "linear")  # the order of the parts in a pass


def draw_model(
    model: str,
    variant: Variant,
    key: str,
    turn: Callable[[str], None] | None = None,
    sizes: Mapping[str, int] | None = None,
    height: int = HEIGHT,
) -> None:
    """Draw a variant of a named model: a square per part in the color of its precision, inside a
    dashed square of its fp32 size. A click on a part calls `turn` with the part. `sizes` are the
    parts' exact bytes, if they are known."""
    # Each state and size has its own key, so that a click is never reported twice.
    times = zoom()
    key = f"{key}-{variant}-{times}"

    def clicked() -> None:
        if part := clicked_part(key):
            turn(part)

    config = server.config_of(model)
    sizes, before = sizes or module_bytes(config, variant), module_bytes(config, Variant())
    chart = to_scale(
        [PARTS[part].label for part in ORDER],
        [sizes[part] / 1e6 for part in ORDER],
        [before[part] / 1e6 for part in ORDER],
        [getattr(variant, part) for part in ORDER],
        clickable=turn is not None,
    )
    chart = enlarged(chart | {"height": height}, times)
    st.vega_lite_chart(chart, key=key, on_select=clicked if turn else "ignore")


def clicked_part(key: str) -> str | None:
    """Return the part that was clicked in the chart with this key, or None if no part was."""
    clicked = st.session_state[key].selection.get("part") or [{}]
    return next((part for part in ORDER if PARTS[part].label == clicked[0].get("part")), None)


def color_by_precision(precisions: list[str]) -> alt.Color:
    """Return the colors of precisions: those of the first offered variant that has them. The legend
    names fp32, int8 and these precisions."""
    domain, places = [*VARIANTS], {}
    for i, variant in enumerate(map(Variant.parse, OFFERED)):
        for part in ORDER:
            places.setdefault(getattr(variant, part), i)
    for precision, i in places.items():
        domain[i] = precision
    legend = alt.Legend(title=None, orient="top", symbolType="square")
    legend["values"] = list(dict.fromkeys(["fp32", "int8", *precisions]))
    return alt.Color("precision:N", scale=alt.Scale(domain=domain), legend=legend)


@built_once
def to_scale(
    parts: list[str],
    megabytes: list[float],
    before: list[float],
    precisions: list[str],
    *,
    clickable: bool = True,
) -> Spec:
    """Return one square per part, with an area in proportion to its megabytes, inside a dashed
    square of its fp32 size. A click selects `part`; the drawing fits any width."""
    sides, wholes = list(map(math.sqrt, megabytes)), list(map(math.sqrt, before))
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
    # The legend takes part of the height that the browser has.
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
    boxes = base.encode(
        x=alt.X("start:Q", **x),
        y=alt.Y("ground:Q", **y),
        tooltip=[*map(alt.Tooltip, ("part:N", "precision:N", "size:N"))],
    ).transform_calculate(ground="0")
    cursor = {"cursor": "pointer"} if clickable else {}
    # The whole dashed square can be clicked, however small the square inside it is.
    ghost = boxes.mark_rect(
        fillOpacity=0.08, fill=GREY, stroke=GREY, strokeDash=[6, 4], strokeWidth=2, **cursor
    ).encode(x2=alt.X2("whole:Q"), y2=alt.Y2("above:Q"))
    if clickable:
        ghost = ghost.add_params(
            alt.selection_point(name="part", fields=["part"], on="click", empty=False)
        )
    filled = boxes.mark_rect(cornerRadius=3, **cursor).encode(
        x2=alt.X2("end:Q"), y2=alt.Y2("top:Q"), color=color_by_precision(precisions)
    )
    texts = [
        base.mark_text(color=INK, fontSize=LABEL_SIZE, dy=dy, baseline="middle").encode(
            x=alt.X("middle:Q", **x),
            y=alt.YDatum(0, type="quantitative"),
            text=alt.Text(f"{field}:N"),
        )
        for field, dy in (("part", 16), ("precision", 38), ("size", 60))
    ]
    told = ", ".join(f"{row['part']} in {row['precision']}, {row['size']}" for row in rows)
    about = f"The model as squares to scale: {told}."
    return specification(alt.layer(ghost, filled, *texts), HEIGHT, about)
