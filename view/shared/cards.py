"""Cards: numbers in a frame, side by side."""

import streamlit as st

# What every size is said to be.
SHIPPED = (
    "The file as it is shipped, in millions of bytes: what torch.save writes of the state_dict, or "
    "the ONNX file."
)


def card(place, heading: str, value: str, change: str | None = None, **options) -> None:
    """Draw a number, as high as its neighbours, and below it a change or a remark: in grey and
    without an arrow, where no options of `st.metric` say otherwise."""
    usual = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}
    place.metric(heading, value, change, **(usual | options))


def columns(number: int) -> list:
    """Columns for so many things, at most four in a row."""
    return [column for start in range(0, number, 4) for column in st.columns(min(4, number))][
        :number
    ]
