"""The speaker's screen: how to join, the texts, the votes, and the truth."""

import streamlit as st

from view.audience.address import audience_address, qr_code
from view.audience.charts import rounds_chart, votes_chart
from view.audience.keys import hear_keys
from view.audience.lobby import enter
from view.audience.rooms import open_room, rooms, writers
from view.sample.typeset import show_pair
from view.shared import visitor
from view.shared.page import errors_shown
from wlm.audience.room import Phase, Room
from wlm.audience.votes import Votes, share_right, verdict

EVERY = 1.0  # seconds
QR_WIDTH, SMALL_QR_WIDTH = 420, 150  # pixels
STEPS = {
    Phase.WAITING: "Open round 1",
    Phase.OPEN: "Close the round",
    Phase.CLOSED: "Show the truth",
    Phase.SHOWN: "Next round",
}
ASKED = "close-without-votes"  # in the session: the round without votes that was to be closed


@st.fragment(run_every=EVERY)
def show_stage(code: str) -> None:
    """Show a room in its current state to the people who look at the speaker's screen."""
    with errors_shown():
        room, votes, come = rooms().look(code)
        this = votes[room.round]
        show_heading(room, this, come)
        hear_keys(
            f"{room.round}-{room.phase}", lambda: go_on(room, this.total), lambda: reopen(room)
        )
        if room.phase == Phase.WAITING:
            show_way_in(room)
            return
        if room.phase == Phase.SHOWN:
            show_outcome(room, votes)
        if room.is_over:
            st.vega_lite_chart(rounds_chart(list(votes.values())), key="rounds")
        elif room.phase == Phase.SHOWN:
            st.vega_lite_chart(votes_chart(this), key=f"votes-{room.round}")
        show_texts(room)


def show_heading(room: Room, votes: Votes, come: int) -> None:
    """Show the question, the number of people in the room, and the button for the next step."""
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
            # A separate button for each step: with the same name, a later button would react to the
            # second press of a double click, as happened on a busy machine.
            st.button(
                STEPS[room.phase],
                key=f"on-from-{room.round}-{room.phase}",
                type="primary",
                on_click=go_on,
                args=(room, votes.total),
            )
        if room.phase == Phase.CLOSED:
            st.button(
                "Reopen",
                key=f"reopen-{room.round}",
                icon=":material/undo:",
                on_click=reopen,
                args=(room,),
            )
    if room.phase == Phase.WAITING:
        st.header(f"{come:,} {'phone is' if come == 1 else 'phones are'} in", anchor=False)
    elif room.phase in (Phase.OPEN, Phase.CLOSED):
        with st.container(horizontal=True, vertical_alignment="center", gap="large"):
            address, _ = audience_address()
            if room.phase == Phase.OPEN:
                st.image(qr_code(address, room.code), width=SMALL_QR_WIDTH)
            st.title(f"{votes.total:,} of {max(come, votes.total):,} have voted", anchor=False)
            if room.phase == Phase.OPEN:
                st.header(f"`{_short(address)}`, room {room.code}", anchor=False)
    if room.phase == Phase.OPEN and not votes.total and st.session_state.get(ASKED) == room.round:
        st.warning(
            "Nobody has voted. Close the round without votes? Press again to close it.",
            icon=":material/how_to_vote:",
        )


def _short(address: str) -> str:
    return address.removeprefix("http://").removeprefix("https://")


def show_way_in(room: Room) -> None:
    """Show the QR code and the address that phones open, and a button that resets the room."""
    code = room.code
    address, hint = audience_address()
    picture, words = st.columns([1, 2], vertical_alignment="center")
    picture.image(qr_code(address, code), width=QR_WIDTH)
    with words:
        st.header("Open this on your phone:", anchor=False)
        st.title(f"`{_short(address)}`", anchor=False)
        st.title(f"room {code}", anchor=False)
        st.markdown("Nothing about you is kept but your vote, and that for a day.")
        if hint:
            st.warning(hint, icon=":material/wifi_off:")
        if st.button(
            "New code",
            icon=":material/refresh:",
            type="tertiary",
            help="Empties the room: everyone must join again with the new code.",
        ):
            fresh = room.reset()
            open_room(fresh)
            enter(fresh.code)


def show_texts(room: Room) -> None:
    """Show both texts of the round, and who wrote them once the truth is shown."""
    show_pair(room.pair.texts, writers(room), large=True)


def show_outcome(room: Room, votes: dict[int, Votes]) -> None:
    """Show how many were right in the round, and in the end whether the room beats a coin."""
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
    """Go back to the lobby; the room stays until it expires."""
    st.query_params.pop("room", None)
    st.rerun()  # reruns the whole page, because a room is only a part of the page


def go_on(room: Room, votes: int) -> None:
    """Go one step on from the step that the speaker sees; ask before closing a round without
    votes."""
    is_asked = st.session_state.pop(ASKED, None) == room.round
    if room.phase == Phase.OPEN and not votes and not is_asked:
        st.session_state[ASKED] = room.round
        return
    with errors_shown():
        rooms().advance(room, visitor.name())


def reopen(room: Room) -> None:
    """Open again the round that the speaker sees closed."""
    with errors_shown():
        rooms().advance(room, visitor.name(), back=True)
