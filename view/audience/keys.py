"""The keys of the stage: keyboard and clicker."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

KEY = "stage-keys"
_listen = st.components.v2.component(
    "wlm.stage_keys", js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def hear_keys(step: str, go_on: Callable[[], None], go_back: Callable[[], None]) -> None:
    """Call one of two functions when a key is pressed. `step` names the current step: a press that
    was meant for another step does nothing."""

    def press() -> None:
        # From the browser, so it can be anything.
        pressed = st.session_state[KEY].get("press")
        if not isinstance(pressed, dict) or pressed.get("step") != step:
            return
        if pressed.get("asked") == "on":
            go_on()
        elif pressed.get("asked") == "back":
            go_back()

    _listen(key=KEY, data={"step": step}, width="content", on_press_change=press)
