"""Rooms and votes: one vote a visitor and round, changed until the round closes, none lost."""

import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from helpers.processes import exit_code_of
from wlm.audience import store as audience
from wlm.audience.room import LIFE_SECONDS, Pair, Room
from wlm.audience.store import AudienceStore
from wlm.audience.votes import Votes
from wlm.errors import AudienceError

PAIRS = (Pair((("an", "oak"), ("a", "fir")), 1), Pair((("x",), ("y",)), 0))


@pytest.fixture
def store(url, monkeypatch) -> AudienceStore:
    monkeypatch.setattr(audience, "FRESH_SECONDS", 0.0)
    return AudienceStore(url)


@pytest.fixture
def room(store) -> Room:
    """A room whose first round is open."""
    room = Room("host", PAIRS)
    store.open_room(room)
    store.advance(room, "host")
    return store.look(room.code)[0]


def test_a_room_comes_back_as_it_was_stored(store):
    room = Room("host", PAIRS)
    store.open_room(room)
    assert store.look(room.code) == (room, {0: Votes((0, 0), 1), 1: Votes((0, 0), 0)}, 0)
    assert store.room_of("host") == room
    assert store.room_of("another") is None


def test_a_visitor_has_one_vote_a_round_and_may_change_it(store, room):
    store.join(room.code, "ann")
    store.join(room.code, "ann")
    store.vote(room.code, "ann", 0, 0)
    store.vote(room.code, "ann", 0, 1)
    store.vote(room.code, "bob", 0, 1)
    _, votes, come = store.look(room.code)
    assert (votes[0], come) == (Votes((0, 2), 1), 1)
    assert store.votes_of(room.code, "ann") == {0: 1}
    assert store.votes_of(room.code, "carl") == {}


@pytest.mark.parametrize("round", [-1, 1, 2, 10**6])
def test_a_vote_counts_in_the_open_round_only(store, room, round):
    with pytest.raises(AudienceError, match="is not open for votes"):
        store.vote(room.code, "ann", round, 0)


def test_a_vote_after_the_round_has_closed_is_refused_and_the_earlier_one_stays(store, room):
    store.vote(room.code, "ann", 0, 0)
    store.advance(room, "host")
    with pytest.raises(AudienceError, match="round 1 is not open for votes"):
        store.vote(room.code, "ann", 0, 1)
    assert store.look(room.code)[1][0].counts == (1, 0)


@pytest.mark.parametrize("side", [-1, 2, 10**9])
def test_a_vote_is_for_one_of_the_two(store, room, side):
    with pytest.raises(AudienceError, match="a vote must be 0 or 1, for A or B; got"):
        store.vote(room.code, "ann", 0, side)


def test_only_its_host_leads_a_room_and_a_second_press_of_one_button_does_nothing(store, room):
    with pytest.raises(AudienceError, match="only the person who opened"):
        store.advance(room, "ann")
    with pytest.raises(AudienceError, match="only the person who opened"):
        store.advance(replace(room, host="ann"), "host")
    store.advance(replace(room, host="ann"), "ann")  # forged: no such row
    assert store.look(room.code)[0] == room
    store.advance(room, "host")
    store.advance(room, "host")
    assert store.look(room.code)[0] == room.next()


def test_a_room_ends_after_a_day_and_with_its_hosts_next_one(store):
    old = Room("host", PAIRS, created_at=1.0)
    store.open_room(old)
    with pytest.raises(AudienceError, match=f"No room {old.code}"):
        store.look(old.code)
    with pytest.raises(AudienceError, match="No room"):
        store.join(old.code, "ann")
    first = Room("host", PAIRS)
    store.open_room(first)
    store.join(first.code, "ann")
    store.open_room(Room("host", PAIRS))
    with pytest.raises(AudienceError, match="No room"):
        store.look(first.code)
    assert LIFE_SECONDS == 24 * 3600


def test_rooms_and_voters_are_bounded(store, room, monkeypatch):
    monkeypatch.setattr(audience, "MOST_VOTERS", 1)
    store.vote(room.code, "ann", 0, 0)
    with pytest.raises(AudienceError, match="the room is full: at most 1 people can join"):
        store.vote(room.code, "bob", 0, 0)
    store.vote(room.code, "ann", 0, 1)
    store.join(room.code, "ann")
    with pytest.raises(AudienceError, match="the room is full: at most 1 people can join"):
        store.join(room.code, "bob")
    monkeypatch.setattr(audience, "MOST_ROOMS", 1)
    with pytest.raises(AudienceError, match="at most 1 rooms can be open: try again later"):
        store.open_room(Room("another", PAIRS))


def test_two_servers_share_rooms_and_lose_no_vote(store, room, url):
    other = AudienceStore(url)
    voters = [
        threading.Thread(target=code.vote, args=(room.code, f"{code is store}-{i}", 0, i % 2))
        for code in (store, other)
        for i in range(20)
    ]
    for voter in voters:
        voter.start()
    for voter in voters:
        voter.join()
    assert store.look(room.code)[1][0].counts == (20, 20)


def test_many_who_look_at_once_read_the_room_once(store, room, monkeypatch):
    monkeypatch.setattr(audience, "FRESH_SECONDS", 1e9)
    store.advance(room, "host")
    reads = []
    monkeypatch.setattr(store, "_read", lambda code: reads.append(code) or (room, {}, 0))
    for _ in range(50):
        store.look(room.code)
    assert reads == [room.code]


def test_so_many_rooms_are_remembered_as_may_be_open(store, room, monkeypatch):
    monkeypatch.setattr(audience, "FRESH_SECONDS", 1e9)
    monkeypatch.setattr(audience, "MOST_ROOMS", 2)
    other = Room("another", PAIRS)
    store.open_room(other)
    store.look(other.code)
    store.look(room.code)
    monkeypatch.setattr(audience, "MOST_ROOMS", 1)
    store.look(room.code)
    reads = []
    monkeypatch.setattr(store, "_read", lambda code: reads.append(code) or (room, {}, 0))
    for code in (room.code, other.code):
        store.look(code)
    assert reads == [other.code]


def test_votes_tell_nobody_who_voted(store, room, url):
    store.vote(room.code, "ann", 0, 0)
    other = Room("another", PAIRS)
    store.open_room(other)
    store.join(other.code, "ann")
    with store._transaction() as connection:
        names = set(connection.exec_driver_sql("select voter from votes").scalars())
    assert len(names) == 2 and not any("ann" in name for name in names)


def test_a_database_that_fails_is_said(store, room):
    store._engine.dispose()
    with store._transaction() as connection:
        connection.exec_driver_sql("drop table votes")
    with pytest.raises(AudienceError, match=r"does not answer: .*(no such table|does not exist)"):
        store.vote(room.code, "ann", 0, 0)


def test_a_database_that_cannot_be_opened_is_said():
    with pytest.raises(AudienceError, match="rooms cannot be stored"):
        AudienceStore("sqlite:////proc/nothing/rooms.sqlite")


def test_only_the_caretaker_removes_rooms_whose_day_is_over(store, room, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(audience.time, "time", lambda: room.created_at + 40 * 86_400)
        store.open_room(Room("another", PAIRS))  # after a jump of the clock
    assert store.look(room.code)[0].code == room.code
    old = Room("late", PAIRS, created_at=1.0)
    store.open_room(old)
    store.vote(room.code, "ann", 0, 0)
    store.remove_old()
    assert store.look(room.code)[1][0].counts == (1, 0)
    with store._transaction() as connection:
        codes = connection.exec_driver_sql("select code from rooms").scalars().all()
    assert old.code not in codes and room.code in codes


def test_rooms_move_to_their_database_once_it_opens(tmp_path, monkeypatch):
    monkeypatch.setattr(audience, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(audience, "FRESH_SECONDS", 0.0)
    (tmp_path / "file").write_text("in the way of a folder")
    url, spare = f"sqlite:///{tmp_path}/file/runs.sqlite", f"sqlite:///{tmp_path}/spare.sqlite"
    store, room = AudienceStore(url, lambda: spare), Room("host", PAIRS)
    store.open_room(room)
    store.advance(room, "host")
    store.vote(room.code, "ann", 0, 1)
    (tmp_path / "file").unlink()
    store.vote(room.code, "bob", 0, 1)
    for server in (store, AudienceStore(url)):
        assert server.look(room.code)[1][0].counts == (0, 2)


@pytest.mark.slow
def test_servers_that_open_a_new_database_at_once_all_can(url):
    script = (
        "import sys; from wlm.audience.store import AudienceStore\n"
        "print(flush=True); sys.stdin.readline(); AudienceStore(sys.argv[1])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    openers = [subprocess.Popen([sys.executable, "-c", script, url], **pipes) for _ in range(4)]
    for opener in openers:
        opener.stdout.readline()  # all have imported: from here on they race
    for opener in openers:
        opener.stdin.close()
    assert [exit_code_of(opener) for opener in openers] == [0] * 4
