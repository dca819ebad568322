"""Audience: a room votes on which of two texts the quantized model wrote."""

import streamlit as st

from view.audience.ballot import show_ballot
from view.audience.door import show_door
from view.audience.rooms import rooms
from view.audience.stage import show_stage
from view.shared import visitor
from view.shared.page import errors_shown, start_page
from wlm.audience.room import read_code


def main() -> None:
    asked = st.query_params.get("room", "")
    start_page("Audience", menu=not asked)
    if not asked:
        show_door()
        return
    code = read_code(asked)
    room, _, _ = rooms().look(code)
    if room.host == visitor.name():
        show_stage(code)
    else:
        rooms().join(code, visitor.name())
        show_ballot(code)


with errors_shown():
    main()
