"""Work that goes on elsewhere, followed on a page until it ends."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from view.shared.page import errors_shown


@dataclass(frozen=True)
class Standing:
    """Where work stands: the share that is done, the same in words, and whether it is to stop;
    what stops it, where this visitor may, what shows its results so far, and what is drawn in
    place of a bar, if anything."""

    done: float
    words: str
    stopping: bool
    stop: Callable[[], None] | None
    show: Callable[[], None] = lambda: None
    picture: Callable[[], None] | None = None


def follow(look: Callable[[], Standing | None], every: float = 0.5) -> None:
    """Show where work stands and a button to stop it, anew every so many seconds, until `look`
    returns nothing: it has ended."""

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
