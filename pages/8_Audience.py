"""Audience: a room votes on which of two texts the quantized model wrote."""

import streamlit as st

from view.audience.ballot import show_ballot
from view.audience.lobby import show_code_field, show_lobby
from view.audience.rooms import find_room, join
from view.audience.stage import show_stage
from view.shared import visitor
from view.shared.page import errors_shown, start_page
from wlm.audience.room import read_code
from wlm.errors import AudienceError


def main() -> None:
    asked = st.query_params.get("room", "")
    start_page("Audience", menu=not asked)
    if not asked:
        show_lobby()
        return
    try:
        room = find_room(read_code(asked))
    except AudienceError as error:
        show_code_field(str(error))
        return
    code = room.code
    if room.host == visitor.name():
        show_stage(code)
    else:
        join(room)
        show_ballot(code)


with errors_shown():
    main()
