"""The progress of work that runs elsewhere, shown on a page until the work ends."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from view.shared.page import errors_shown


@dataclass(frozen=True)
class Standing:
    """The state of the work: the share that is done, the same in words, and whether it is stopping.
    It also has the function that stops the work, if this visitor may; the function that shows the
    results so far; and the function that draws a picture instead of a bar, if any."""

    done: float
    words: str
    stopping: bool
    stop: Callable[[], None] | None
    show: Callable[[], None] = lambda: None
    picture: Callable[[], None] | None = None


def follow(look: Callable[[], Standing | None], every: float = 0.5) -> None:
    """Show the progress of work and a button to stop it until `look` returns None, which means that
    the work has ended. `every` is the time between updates, in seconds."""

    @st.fragment(run_every=every)
    def following() -> None:
        with errors_shown():
            if (now := look()) is None:
                st.rerun()
            with st.container(horizontal=True, vertical_alignment="center"):
                words = "Stopping …" if now.stopping else now.words
                if now.picture:
                    st.markdown(words)
                else:
                    st.progress(now.done, text=words)
                if now.stop and st.button("Stop", icon=":material/stop:", disabled=now.stopping):
                    now.stop()
            if now.picture:
                now.picture()
            now.show()

    following()
