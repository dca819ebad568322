"""The phone's page: the texts of the current round, and how to vote."""

import streamlit as st

from view.audience.rooms import rooms, writers
from view.sample.typeset import show_pair
from view.shared import visitor
from view.shared.page import errors_shown, link_to
from wlm.audience.room import SIDES, Phase, Room
from wlm.audience.votes import Votes, count_right, verdict

INT8 = (
    "fp32 is the original model. int8 is the same model, but the weights of its LSTM and its "
    "decoder are rounded from 32 to 8 bits."
)
EVERY = 3.0  # seconds: several hundred phones may ask


@st.fragment(run_every=EVERY)
def show_ballot(code: str) -> None:
    """Show the current round, or the result, with this visitor's votes."""
    with errors_shown():
        room, votes, _ = rooms().look(code)
        mine = rooms().votes_of(code, visitor.name())
        if room.phase == Phase.WAITING:
            st.info(
                "You are in. The first two texts will appear here.", icon=":material/waving_hand:"
            )
            st.caption(INT8)
            return
        right = sum(votes[number].quantized == side for number, side in mine.items())
        score = f"You were right in **{right} of {room.round + 1}**." if mine else ""
        if room.phase == Phase.RESULT:
            rounds = list(votes.values())
            st.subheader(verdict(rounds), anchor=False)
            st.markdown(f"{count_right(rounds)} {score}")
            link_to("Compare", "Try the models yourself")
            return
        show_round(room, votes[room.round], mine.get(room.round))
        if room.phase == Phase.SHOWN and score:
            st.markdown(score)


def show_round(room: Room, votes: Votes, mine: int | None) -> None:
    """Show both texts, each with its button while the round is open, and with the truth once it is
    shown."""
    is_open = room.phase == Phase.OPEN
    st.subheader(
        f"Round {room.round + 1} of {len(room.pairs)}: which text did int8 write?", anchor=False
    )
    if room.phase == Phase.SHOWN:
        show_truth(votes.quantized, mine)
    elif room.phase == Phase.CLOSED:
        chosen = f"You chose {SIDES[mine]}." if mine is not None else "You did not vote."
        st.info(
            f"The round is closed. {chosen} The truth will appear here.", icon=":material/lock:"
        )

    def draw_vote(side: int) -> None:
        if is_open:
            st.button(
                f"{SIDES[side]} is int8",
                key=f"vote-{room.round}-{side}",
                type="primary" if mine == side else "secondary",
                icon=":material/check:" if mine == side else ":material/how_to_vote:",
                on_click=vote,
                args=(room.code, room.round, side),
                width="stretch",
            )

    show_pair(room.pair.texts, writers(room), draw_vote)
    if is_open:
        chosen = "Choose a text." if mine is None else f"Your vote: **{SIDES[mine]}**."
        st.caption(f"{chosen} You can change your vote until the round closes.")
        st.caption(INT8)


def show_truth(quantized: int, mine: int | None) -> None:
    """Show who wrote which text, and whether this visitor was right."""
    wrote = f"int8 wrote {SIDES[quantized]}"
    if mine is None:
        st.info(f"{wrote}. You did not vote in this round.", icon=":material/info:")
    elif mine == quantized:
        st.success(f"Right: you chose {SIDES[mine]}, and {wrote}.", icon=":material/check:")
    else:
        st.warning(f"Wrong: you chose {SIDES[mine]}, but {wrote}.", icon=":material/close:")


def vote(code: str, round: int, side: int) -> None:
    """Cast or change this visitor's vote; if that is impossible, show why."""
    with errors_shown():
        rooms().vote(code, visitor.name(), round, side)
