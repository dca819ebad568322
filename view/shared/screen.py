"""A lecture hall's screen: type, spacing and charts grow with it."""

from pathlib import Path

import streamlit as st

ZOOM, SCREEN_ZOOM = "zoom", "screen-zoom"  # in the session: of the current page, of this screen
MOST_ZOOM = 8.0
# The properties of a chart that are in pixels.
LENGTHS = {
    *("fontSize", "labelFontSize", "titleFontSize", "labelLimit", "dx", "dy", "xOffset", "yOffset"),
    *("strokeWidth", "symbolStrokeWidth", "thickness", "cornerRadius", "cornerRadiusEnd", "step"),
    *("x", "y", "width", "height", "size"),
}
PLACES = ("x", "x2", "y", "y2")
SYMBOL_SIZE = 100  # square pixels: Vega's own
_grow = st.components.v2.component(
    "wlm.screen",
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
    isolate_styles=False,  # the style is for the whole page
)


def fill_screen() -> None:
    """Let the current page grow with the browser's window. Call this before its charts."""
    known = st.session_state.get(SCREEN_ZOOM, 1.0)
    screen = _grow(
        key="screen",
        data={"zoom": known},
        default={"zoom": known},
        width="content",
        on_zoom_change=lambda: None,
    )
    # From the browser, so it can be anything.
    if isinstance(screen.zoom, int | float) and 1 <= screen.zoom <= MOST_ZOOM:
        known = float(screen.zoom)
    st.session_state[SCREEN_ZOOM] = st.session_state[ZOOM] = known


def zoom() -> float:
    """Return how many times as large as usual the current page draws charts."""
    return st.session_state.get(ZOOM, 1.0)


def enlarged(spec: dict, times: float) -> dict:
    """Return a chart whose height, marks and type are this many times as large."""
    if times == 1:
        return spec
    large = _enlarged(spec, times)
    large["config"]["legend"]["symbolSize"] = SYMBOL_SIZE * times**2
    return large


def _enlarged(part, times: float):
    if isinstance(part, list):
        return [_enlarged(item, times) for item in part]
    if not isinstance(part, dict):
        return part
    found = {}
    for key, value in part.items():
        is_number = isinstance(value, int | float)
        if key in ("data", "values"):
            found[key] = value  # rows may have fields of any name
        elif key in LENGTHS and is_number:
            is_area = key == "size" and part.get("type") == "point"
            found[key] = value * (times**2 if is_area else times)
        elif key == "strokeDash" and isinstance(value, list):
            found[key] = [length * times for length in value]
        elif key in PLACES and isinstance(value, dict) and isinstance(value.get("value"), int):
            found[key] = {**value, "value": value["value"] * times}
        else:
            found[key] = _enlarged(value, times)
    return found
