"""The speaker's screen: how to join, the texts, the votes, and the truth."""

import streamlit as st

from view.audience.address import audience_address, qr_code
from view.audience.charts import rounds_chart, votes_chart
from view.audience.lobby import enter
from view.audience.rooms import open_room, rooms, writers
from view.sample.typeset import show_pair
from view.shared import visitor
from view.shared.charts import draw_chart
from view.shared.keys import CLICKER, hear_keys
from view.shared.page import errors_shown
from view.shared.screen import fill_screen, zoom
from wlm.audience.room import Phase, Room
from wlm.audience.votes import Votes, count_right, verdict

EVERY = 1.0  # seconds
QR_WIDTH, SMALL_QR_WIDTH = 320, 130  # pixels, before a screen enlarges them
QUESTION = "Which text did int8 write?"
ASKED = "close-without-votes"  # in the session: the round without votes that was to be closed


@st.fragment(run_every=EVERY)
def show_stage(code: str) -> None:
    """Show a room in its current state to the people who look at the speaker's screen."""
    with errors_shown():
        room, votes, joined = rooms().look(code)
        this = votes[room.round]
        show_heading(room, votes)
        if room.phase == Phase.WAITING:
            show_way_in(room, joined)
        elif room.phase == Phase.RESULT:
            show_result(list(votes.values()))
        else:
            if room.phase == Phase.SHOWN:
                show_outcome(room, this)
            else:
                show_voting(room, this, joined)
            show_pair(room.pair.texts, writers(room), large=True)


def show_heading(room: Room, votes: dict[int, Votes]) -> None:
    """Show the question, or in the end the verdict, and the buttons for the next step. Listen to
    keys."""
    this = votes[room.round]
    here = 1 + 3 * room.round + list(Phase).index(room.phase)  # three steps per round

    def go_to(step: int) -> None:
        if step == here + 1:
            go_on(room, this.total)
        elif step == here - 1:
            reopen(room)

    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"Round {room.round + 1} of {len(room.pairs)}: {QUESTION[0].lower()}{QUESTION[1:]}"
        if room.phase == Phase.WAITING:
            title = QUESTION
        elif room.phase == Phase.RESULT:
            title = verdict(list(votes.values()))
        st.title(title, anchor=False, width="stretch")
        fill_screen()
        hear_keys("stage-keys", here, here + 1, CLICKER, go_to, one_at_a_time=True)
        if room.phase == Phase.RESULT:
            if st.button("Leave", icon=":material/logout:"):
                leave()
            return
        # A separate button for each step: with the same name, a later button would react to the
        # second press of a double click, as happened on a busy machine.
        st.button(
            next_step(room),
            key=f"on-from-{room.round}-{room.phase}",
            type="primary",
            on_click=go_on,
            args=(room, this.total),
        )
        if room.phase == Phase.CLOSED:
            st.button(
                "Reopen",
                key=f"reopen-{room.round}",
                icon=":material/undo:",
                on_click=reopen,
                args=(room,),
            )


def next_step(room: Room) -> str:
    """Return the name of the button that takes a room one step further."""
    steps = {
        Phase.WAITING: "Open round 1",
        Phase.OPEN: "Close the round",
        Phase.CLOSED: "Show the truth",
        Phase.SHOWN: "Show the result" if room.is_last_round else "Next round",
    }
    return steps[room.phase]


def show_way_in(room: Room, joined: int) -> None:
    """Show how many have joined, the QR code and the address that phones open, and a button that
    resets the room."""
    address, hint = audience_address()
    picture, words = st.columns([2, 3], vertical_alignment="center", gap="large")
    picture.image(qr_code(address, room.code), width=round(QR_WIDTH * zoom()))
    with words:
        st.header("Open this on your phone:", anchor=False)
        st.title(f"`{_short(address)}`", anchor=False)
        st.title(f"room {room.code}", anchor=False)
        phones = "1 phone has" if joined == 1 else f"{joined:,} phones have"
        st.header(f"{phones} joined", anchor=False)
        if hint:
            st.warning(hint, icon=":material/wifi_off:")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("The server keeps only your vote, for one day.", width="content")
            is_reset = st.button(
                "New code",
                icon=":material/refresh:",
                type="tertiary",
                help="Empties the room. Everyone must join again with the new code.",
            )
        if is_reset:
            fresh = room.reset()
            open_room(fresh)
            enter(fresh.code)


def show_voting(room: Room, votes: Votes, joined: int) -> None:
    """Show how many have voted and, while the round is open, how to join."""
    voted = f"{votes.total:,} of {max(joined, votes.total):,} have voted"
    if room.phase == Phase.CLOSED:
        st.header(voted, anchor=False)
        return
    address, _ = audience_address()
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        st.image(qr_code(address, room.code), width=round(SMALL_QR_WIDTH * zoom()))
        st.header(f"`{_short(address)}`, room {room.code}", anchor=False)
        st.header(voted, anchor=False)
    if not votes.total and st.session_state.get(ASKED) == room.round:
        st.warning(
            "Nobody has voted. Close the round without votes? Press again to close it.",
            icon=":material/how_to_vote:",
        )


def _short(address: str) -> str:
    return address.removeprefix("http://").removeprefix("https://")


def show_outcome(room: Room, votes: Votes) -> None:
    """Show how many votes of the current round were right, and a bar per text."""
    share = f", {votes.right / votes.total:.0%}" if votes.total else ""
    st.header(f"{votes.right:,} of {votes.total:,} were right{share}.", anchor=False)
    draw_chart(votes_chart(votes), f"votes-{room.round}")


def show_result(rounds: list[Votes]) -> None:
    """Show the share of right votes in each round and in all rounds, next to a coin's."""
    if not (counted := count_right(rounds)):
        return
    st.header(counted, anchor=False)
    draw_chart(rounds_chart(rounds), "rounds")
    st.caption(
        "Each row has its exact binomial 95% interval. The interval of all rounds counts votes as "
        "independent, although each voter cast several."
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
