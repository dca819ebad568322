"""Cards: numbers in a frame, side by side."""

import streamlit as st

from view.shared.dimming import is_dim, shade
from view.shared.page import minus
from wlm.measuring.wording import size_unit

SHIPPED = (
    "The file as it is shipped, in millions of bytes: what torch.save writes of the state_dict, or "
    "the ONNX file."
)
COLORS = {"normal": ("green", "red"), "inverse": ("red", "green")}  # colors of a rise and of a fall


def card(
    place,
    heading: str,
    value: str,
    change: str | None = None,
    *,
    of: str = "",
    large: bool = False,
    **options,
) -> None:
    """Draw a number, as high as its neighbors, and below it a change or a remark. The remark is
    gray and has no arrow unless options of `st.metric` say otherwise. `of` is a variant's label, to
    show above the heading. A large card, for a lecture hall, has its words in the type of a
    subheader, without help."""
    grey = {"delta_color": "off", "delta_arrow": "off"}
    if is_dim():
        options |= grey
    options = grey | options
    if not large:
        with place.container(border=True, height="stretch", gap=None):
            if of:
                st.markdown(shade(f"**{of}**"))
            st.metric(shade(heading), shade(value), change, **options)
        return
    with place.container(border=True, height="stretch", gap=None):
        st.subheader(shade(heading), anchor=False)
        st.metric(heading, shade(value), label_visibility="collapsed")
        if change:
            color, said = options["delta_color"], options.get("delta_description", "")
            rise, fall = COLORS.get(color, (color, color))
            color = {"off": "gray"}.get(color, fall if change.startswith("-") else rise)
            st.subheader(f":{color}[{minus(change)} {said}]".replace(" ]", "]"), anchor=False)


def size_card(
    place, size: int, baseline: int | None = None, *, heading: str = "", **options
) -> None:
    """Draw a size in bytes and its change from the baseline's size, in gray if the change rounds to
    0."""
    unit, scale = size_unit([size, baseline or 0])
    value, change = f"{size / scale:,.1f}", None
    if baseline is not None:
        share = size / baseline - 1
        same = abs(share) < 0.005  # the change rounds to 0%
        change = "the same" if same else f"{share:+.0%}"
        arrow = "off" if same else "auto"
        options |= {"delta_color": "off" if same else "inverse", "delta_arrow": arrow}
    shown = (heading, f"{value} {unit}") if heading else (f"Size, {unit}", value)
    card(place, *shown, change, help=SHIPPED, **options)


def columns(number: int) -> list:
    """Return this number of columns, at most four in a row."""
    return [column for start in range(0, number, 4) for column in st.columns(min(4, number))][
        :number
    ]
