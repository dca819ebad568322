"""Cards: numbers in a frame, side by side."""

import streamlit as st

from wlm.measuring.wording import size_unit

# What every size is said to be.
SHIPPED = (
    "The file as it is shipped, in millions of bytes: what torch.save writes of the state_dict, or "
    "the ONNX file."
)


def card(
    place, heading: str, value: str, change: str | None = None, *, dim: bool = False, **options
) -> None:
    """Draw a number, as high as its neighbours, and below it a change or a remark: in grey and
    without an arrow, where no options of `st.metric` say otherwise, or where it is dim."""
    grey = {"delta_color": "off", "delta_arrow": "off"}
    frame = {"border": True, "height": "stretch"}
    if dim:
        heading, value, options = f":gray[{heading}]", f":gray[{value}]", options | grey
    place.metric(heading, value, change, **(grey | frame | options))


def size_card(
    place,
    size: int,
    baseline: int | None = None,
    *,
    heading: str = "",
    dim: bool = False,
    **options,
) -> None:
    """Draw a size in bytes and its change against the baseline's, in grey where none shows."""
    unit, scale = size_unit([size, baseline or 0])
    value, change = f"{size / scale:,.1f}", None
    if baseline is not None:
        share = size / baseline - 1
        same = abs(share) < 0.005  # as it is shown
        change = "the same" if same else f"{share:+.0%}"
        arrow = "off" if same else "auto"
        options |= {"delta_color": "off" if same else "inverse", "delta_arrow": arrow}
    shown = (heading, f"{value} {unit}") if heading else (f"Size, {unit}", value)
    card(place, *shown, change, dim=dim, help=SHIPPED, **options)


def columns(number: int) -> list:
    """Columns for so many things, at most four in a row."""
    return [column for start in range(0, number, 4) for column in st.columns(min(4, number))][
        :number
    ]
