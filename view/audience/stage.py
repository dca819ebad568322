"""What the speaker's screen shows: how to come in, the texts, the votes, and the truth."""

import streamlit as st

from view.audience.address import audience_address, qr_code
from view.audience.charts import votes_chart
from view.audience.rooms import rooms
from view.audience.texts import show_text
from view.shared import visitor
from view.shared.page import errors_shown
from wlm.audience.room import SIDES, Phase, Room
from wlm.audience.votes import Votes, share_right, verdict

EVERY = 1.0  # seconds
QR_WIDTH, SMALL_QR_WIDTH = 420, 150  # pixels
STEPS = {Phase.WAITING: "Open round 1", Phase.OPEN: "Close and show", Phase.SHOWN: "Next round"}


@st.fragment(run_every=EVERY)
def show_stage(code: str) -> None:
    """Show a room as it stands to those who look at the speaker's screen."""
    with errors_shown():
        room, votes, come = rooms().look(code)
        show_heading(room, votes[room.round], come)
        if room.phase == Phase.WAITING:
            show_way_in(room.code)
        elif room.phase == Phase.OPEN:
            show_texts(room)
        else:
            show_outcome(room, votes)
            st.vega_lite_chart(votes_chart(votes[room.round]), key=f"votes-{room.round}")
            show_texts(room)


def show_heading(room: Room, votes: Votes, come: int) -> None:
    """Show the question, how many are there, and the button that goes on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        number = f"Round {room.round + 1} of {len(room.pairs)}: "
        question = "which text did int8 write?"
        st.title(
            question.capitalize() if room.phase == Phase.WAITING else number + question,
            anchor=False,
            width="stretch",
        )
        if room.is_over:
            if st.button("Leave", icon=":material/logout:"):
                leave()
        else:
            # A button of its own for each step: a later one of the same name would take for its
            # own a press that came twice, as was seen on a busy machine.
            st.button(
                STEPS[room.phase],
                key=f"on-from-{room.round}-{room.phase}",
                type="primary",
                shortcut="Right",
                on_click=advance,
                args=(room,),
            )
    if room.phase == Phase.WAITING:
        st.header(f"{come:,} {'phone is' if come == 1 else 'phones are'} in", anchor=False)
    elif room.phase == Phase.OPEN:
        with st.container(horizontal=True, vertical_alignment="center", gap="large"):
            address, _ = audience_address()
            st.image(qr_code(address, room.code), width=SMALL_QR_WIDTH)
            st.title(f"{votes.total:,} of {max(come, votes.total):,} have voted", anchor=False)


def show_way_in(code: str) -> None:
    """Show the QR code and the address that phones open."""
    address, hint = audience_address()
    picture, words = st.columns([1, 2], vertical_alignment="center")
    picture.image(qr_code(address, code), width=QR_WIDTH)
    with words:
        st.header("Open this on your phone:", anchor=False)
        st.title(f"`{address.removeprefix('http://').removeprefix('https://')}`", anchor=False)
        st.title(f"room {code}", anchor=False)
        st.markdown("Nothing about you is kept but your vote, and that for a day.")
        if hint:
            st.warning(hint, icon=":material/wifi_off:")


def show_texts(room: Room) -> None:
    """Show both texts of the round, and who wrote them once it is closed."""
    for side, (column, words) in enumerate(zip(st.columns(2), room.pair.texts, strict=True)):
        with column, st.container(border=True, height="stretch"):
            shown = f" is by {room.pair.writer(side)}" if room.phase == Phase.SHOWN else ""
            st.header(f"{SIDES[side]}{shown}", anchor=False)
            show_text(words, large=True)


def show_outcome(room: Room, votes: dict[int, Votes]) -> None:
    """Say how many were right in the round, and in the end whether the room beats a coin."""
    this, all_votes = votes[room.round], list(votes.values())
    if not room.is_over:
        share = f", {this.right / this.total:.0%}" if this.total else ""
        st.header(f"{this.right:,} of {this.total:,} were right{share}.", anchor=False)
        return
    st.header(verdict(all_votes), anchor=False)
    if share_right(all_votes):
        st.caption(
            "Over all rounds. The interval is the exact binomial one and takes each vote for "
            "itself, though each of you cast several."
        )


def leave() -> None:
    """Go back to the page's door; the room stays until its day is over."""
    st.query_params.pop("room", None)
    st.rerun()  # all of the page, of which a room is a part


def advance(room: Room) -> None:
    """Go one step on from what the speaker sees."""
    with errors_shown():
        rooms().advance(room, visitor.name())
