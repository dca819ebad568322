"""Keys that walk through steps, on a keyboard or a clicker."""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

ARROWS = {"ArrowRight": 1, "ArrowLeft": -1}  # the steps that each key goes
CLICKER = {**ARROWS, "PageDown": 1, " ": 1, "PageUp": -1}
_listen = st.components.v2.component(
    "wlm.keys", js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def hear_keys(
    key: str,
    step: int,
    last: int,
    moves: Mapping[str, int],
    go: Callable[[int], None],
    *,
    leave: Callable[[], None] | None = None,
    one_at_a_time: bool = False,
) -> None:
    """Call `go` with the wanted step, from 1 to `last`, when a key of `moves` is pressed, and
    `leave`, if it is given, for Escape. `step` is the current step. Presses add up unless steps go
    one at a time; then keys are ignored for two seconds after each step."""

    def pressed() -> None:
        # The value is from the browser, so it may be anything.
        wanted = st.session_state[key].get("step")
        if type(wanted) is int and 1 <= wanted <= last:
            go(wanted)

    _listen(
        key=key,
        data={
            "step": step,
            "last": last,
            "moves": moves,
            "leaves": leave is not None,
            "oneAtATime": one_at_a_time,
        },
        width="content",
        on_step_change=pressed,
        on_leave_change=leave or (lambda: None),
    )
