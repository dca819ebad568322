"""The page Audience without a room: how to open a room, and how to join one."""

import streamlit as st

from view.audience.rooms import find_room, open_room, rooms
from view.shared import visitor
from view.shared.page import show_error
from wlm.audience.room import CODE_LENGTH, ROUNDS, read_code
from wlm.errors import AudienceError


def show_lobby() -> None:
    """Draw the button that opens a room, and the field for a room code."""
    st.title("Can your audience tell int8 from fp32?")
    st.markdown(
        f"A blind test in {ROUNDS} rounds. Each round shows two texts, one by each model. "
        "Everyone votes on a phone for the text by int8. Then you show the votes, the truth, and "
        "whether the room beats a coin. A room expires after a day."
    )
    lead, join = st.columns(2)
    with lead, st.container(border=True, height="stretch"):
        st.header("You are on stage", anchor=False)
        if st.button("Open a room", type="primary", icon=":material/co_present:"):
            from view.audience.texts import make_room  # writes texts: phones do without

            room = make_room(visitor.name())
            open_room(room)
            enter(room.code)
        if (mine := rooms().room_of(visitor.name())) and st.button(
            f"Back to your room {mine.code}", icon=":material/undo:"
        ):
            enter(mine.code)
    with join, st.container(border=True, height="stretch"):
        st.header("You are in the audience", anchor=False)
        show_code_field()


def show_code_field(problem: str = "") -> None:
    """Draw the field for a room code, and the problem with the previous code."""
    with st.form("join", border=False):
        code = st.text_input("Room code", max_chars=CODE_LENGTH)
        if st.form_submit_button("Join", icon=":material/login:"):
            try:
                enter(find_room(read_code(code)).code)
            except AudienceError as error:
                problem = str(error)
    if problem:
        show_error(problem)


def enter(code: str) -> None:
    """Go to a room."""
    st.query_params["room"] = code
    st.rerun()
