"""Work that goes on elsewhere, followed on a page until it ends."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from view.shared.page import errors_shown


@dataclass(frozen=True)
class Standing:
    """Where work stands: the share that is done, the same in words, and whether it is to stop;
    what stops it, where this visitor may, and what shows its results so far."""

    done: float
    words: str
    stopping: bool
    stop: Callable[[], None] | None
    show: Callable[[], None] = lambda: None


def follow(look: Callable[[], Standing | None], every: float = 0.5) -> None:
    """Show where work stands and a button to stop it, anew every so many seconds, until `look`
    returns nothing: it has ended."""

    @st.fragment(run_every=every)
    def following() -> None:
        with errors_shown():
            if (now := look()) is None:
                st.rerun()
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(now.done, text="Stopping …" if now.stopping else now.words)
                if now.stop and st.button("Stop", icon=":material/stop:", disabled=now.stopping):
                    now.stop()
            now.show()

    following()
