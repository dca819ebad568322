"""Cards: numbers in a frame, side by side."""

import streamlit as st

from view.shared.dimming import is_dim, shade
from view.shared.page import minus
from wlm.measuring.wording import size_unit

SHIPPED = (
    "The file as it is shipped, in millions of bytes: what torch.save writes of the state_dict, or "
    "the ONNX file."
)
# The colors of a rise and of a fall.
COLORS = {"normal": ("green", "red"), "inverse": ("red", "green"), "off": ("gray", "gray")}
GRAY = {"delta_color": "off", "delta_arrow": "off"}


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
    options = options | GRAY if is_dim() else GRAY | options
    with place.container(border=True, height="stretch", gap=None):
        if not large:
            if of:
                st.markdown(shade(f"**{of}**"))
            st.metric(shade(heading), shade(value), change, **options)
            return
        st.subheader(shade(heading), anchor=False)
        st.metric(heading, shade(value), label_visibility="collapsed")
        if change:
            color, said = options["delta_color"], options.get("delta_description", "")
            rise, fall = COLORS.get(color, (color, color))
            color = fall if change.startswith("-") else rise
            st.subheader(f":{color}[{minus(change)} {said}]".replace(" ]", "]"), anchor=False)


def size_card(
    place, size: int, baseline: int | None = None, *, heading: str = "", **options
) -> None:
    """Draw a size in bytes and its change from the baseline's size."""
    unit, scale = size_unit([size, baseline or 0])
    value = f"{size / scale:,.1f}"
    if baseline is not None:
        options |= change_of(size, baseline)
    shown = (heading, f"{value} {unit}") if heading else (f"Size, {unit}", value)
    card(place, *shown, help=SHIPPED, **options)


def change_of(size: int, baseline: int) -> dict[str, str]:
    """Return the change from the baseline's size as options of a card: less is green, and a change
    that rounds to 0% is gray."""
    share = size / baseline - 1
    if abs(share) < 0.005:
        return {"change": "the same"}
    return {"change": f"{share:+.0%}", "delta_color": "inverse", "delta_arrow": "auto"}


def columns(number: int) -> list:
    """Return this number of columns, at most four in a row."""
    return [column for start in range(0, number, 4) for column in st.columns(min(4, number))][
        :number
    ]
