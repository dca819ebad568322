"""The store of rooms and votes, in the database of runs: several servers share it."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from wlm.audience.room import LIFE_SECONDS, SIDES, Pair, Phase, Room
from wlm.audience.votes import Votes
from wlm.errors import AudienceError, NoRoomError, StoreError
from wlm.paths import database_url
from wlm.runs.database import make_tables, open_database, reason_of, words_as_text

MOST_ROOMS, MOST_VOTERS = 100, 2_000  # at the same time; in a room and round
FRESH_SECONDS = 0.5  # many phones ask at once, and the room is read once
RETRY_SECONDS = 5.0  # between attempts to open the database
JOINED = -1  # the round under which the store records that a voter has joined

METADATA = sa.MetaData()
ROOMS = sa.Table(
    "rooms",
    METADATA,
    sa.Column("code", sa.String(8), primary_key=True),
    sa.Column("host", sa.String(64), nullable=False, index=True),
    sa.Column("pairs", sa.JSON, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("phase", words_as_text(Phase), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
)
VOTES = sa.Table(
    "votes",
    METADATA,
    sa.Column("room", sa.String(8), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("voter", sa.String(32), primary_key=True),
    sa.Column("side", sa.Integer, nullable=False),
)
INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class AudienceStore:
    """The rooms and votes in one database.

    While this database cannot be opened, they are in the spare database that `spare_url` returns,
    if any. They move as soon as the first database opens. Raises AudienceError if neither can be
    opened.
    """

    def __init__(self, url: str, spare_url: Callable[[], str] | None = None):
        self._lock = threading.Lock()  # held while reading, so that others wait for the answer
        self._seen: OrderedDict[str, tuple[float, Room, dict[int, Votes], int]] = OrderedDict()
        self._opening = threading.Lock()
        self._wanted = ""  # the address of a database that could not be opened
        self._tried = time.monotonic()
        try:
            self._engine = _open(url)
        except AudienceError:
            if spare_url is None:
                raise
            self._engine, self._wanted = _open(spare_url()), url

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def _opened(self) -> sa.Engine:
        """Return the database; if another one is wanted, try from time to time to open that one."""
        if self._wanted and self._opening.acquire(blocking=False):
            try:
                if self._wanted and time.monotonic() - self._tried > RETRY_SECONDS:
                    self._tried = time.monotonic()
                    self._engine = _moved(self._engine, self._wanted)
                    self._wanted = ""
            except AudienceError:
                pass  # the wanted database still cannot be opened
            finally:
                self._opening.release()
        return self._engine

    def open_room(self, room: Room) -> None:
        """Store a new room and remove its host's earlier rooms with their votes. Raises
        AudienceError if there are too many rooms."""
        open_ones = sa.select(sa.func.count()).select_from(ROOMS).where(_is_open())
        with self._transaction() as connection:
            _remove(connection, ROOMS.c.host == room.host)
            if connection.execute(open_ones).scalar() >= MOST_ROOMS:
                raise AudienceError(f"at most {MOST_ROOMS} rooms can be open: try again later")
            connection.execute(ROOMS.insert().values(asdict(room)))
        self._forget(room.code)

    def remove_old(self) -> None:
        """Remove the rooms whose day is over, with their votes. The caretaker calls this."""
        with self._transaction() as connection:
            _remove(connection, ~_is_open())

    def room_of(self, host: str) -> Room | None:
        """Return the room that a visitor leads, if any."""
        return self._room(ROOMS.c.host == host)

    def advance(self, room: Room, host: str, back: bool = False) -> None:
        """Take a room one step further, if it is still at the step that the host saw: a second
        press does nothing. With `back`, open a closed round again.

        Raises AudienceError for anyone but the room's host.
        """
        if room.host != host:
            raise AudienceError("only the person who opened a room can lead it")
        then = room.reopened() if back else room.next()
        seen = sa.and_(
            *(ROOMS.c[name] == getattr(room, name) for name in ("code", "host", "round", "phase"))
        )
        with self._transaction() as connection:
            connection.execute(
                ROOMS.update().where(seen).values(round=then.round, phase=then.phase)
            )
        self._forget(room.code)

    def look(self, code: str) -> tuple[Room, dict[int, Votes], int]:
        """Return a room, at most `FRESH_SECONDS` old, its votes by round, and how many voters have
        joined. Raises AudienceError if there is no such room."""
        with self._lock:
            seen = self._seen.pop(code, None)
            if seen is None or time.monotonic() - seen[0] > FRESH_SECONDS:
                seen = time.monotonic(), *self._read(code)
            self._seen[code] = seen
            while len(self._seen) > MOST_ROOMS:
                self._seen.popitem(last=False)
            return seen[1:]

    def join(self, code: str, visitor: str) -> None:
        """Record that a visitor has joined. Raises AudienceError if the room is full."""
        if not self._put(code, visitor, JOINED, 0, sa.true()):
            self._read(code)  # which raises if there is no such room
            raise _full()

    def vote(self, code: str, visitor: str, round: int, side: int) -> None:
        """Give, or change, a visitor's vote of a round: text 0 or 1.

        Raises AudienceError if that round is not open, or the room is full.
        """
        if side not in range(len(SIDES)):
            raise AudienceError(f"a vote must be 0 or 1, for A or B; got {str(side)[:20]!r}")
        is_open = sa.and_(ROOMS.c.round == round, ROOMS.c.phase == Phase.OPEN)
        if not self._put(code, visitor, round, side, is_open):
            room, _, _ = self._read(code)
            if (round, Phase.OPEN) == (room.round, room.phase):
                raise _full()
            raise AudienceError(f"round {round + 1} is not open for votes")

    def votes_of(self, code: str, visitor: str) -> Mapping[int, int]:
        """Return a visitor's votes: text 0 or 1, by round."""
        mine = sa.and_(VOTES.c.room == code, VOTES.c.voter == _voter(code, visitor))
        query = sa.select(VOTES.c.round, VOTES.c.side).where(mine, VOTES.c.round != JOINED)
        with self._transaction() as connection:
            return {row.round: row.side for row in connection.execute(query)}

    def _put(self, code: str, visitor: str, round: int, side: int, allowed) -> bool:
        # One statement: a vote that comes as the round closes counts, or is refused, never both.
        voter = _voter(code, visitor)
        same = sa.and_(VOTES.c.room == code, VOTES.c.round == round)
        count = sa.select(sa.func.count()).select_from(VOTES).where(same).scalar_subquery()
        known = sa.exists().where(same, VOTES.c.voter == voter)
        row = sa.select(ROOMS.c.code, *map(sa.literal, (round, voter, side))).where(
            ROOMS.c.code == code,
            _is_open(),
            allowed,
            sa.or_(count < MOST_VOTERS, known),
        )
        insert = INSERTS[self._opened().dialect.name](VOTES).from_select(list(VOTES.c.keys()), row)
        put = insert.on_conflict_do_update(
            index_elements=["room", "round", "voter"], set_={"side": insert.excluded.side}
        )
        with self._transaction() as connection:
            return connection.execute(put).rowcount > 0

    def _read(self, code: str) -> tuple[Room, dict[int, Votes], int]:
        room = self._room(ROOMS.c.code == code)
        if room is None:
            raise NoRoomError(f"No room {code}. Check the code on the screen")
        query = sa.select(VOTES.c.round, VOTES.c.side, sa.func.count().label("votes"))
        query = query.where(VOTES.c.room == code).group_by(VOTES.c.round, VOTES.c.side)
        with self._transaction() as connection:
            found = {(row.round, row.side): row.votes for row in connection.execute(query)}
        votes = {
            number: Votes((found.get((number, 0), 0), found.get((number, 1), 0)), pair.quantized)
            for number, pair in enumerate(room.pairs)
        }
        return room, votes, found.get((JOINED, 0), 0)

    def _room(self, which) -> Room | None:
        query = sa.select(ROOMS).where(which, _is_open())
        with self._transaction() as connection:
            row = connection.execute(query).mappings().first()
        return _from_row(row) if row else None

    def _forget(self, code: str) -> None:
        with self._lock:
            self._seen.pop(code, None)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._opened().begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = reason_of(error)
            raise AudienceError(f"the room's database does not answer: {reason}") from None


def remove_old_rooms() -> None:
    """Remove the rooms whose day is over from the database of runs. Raises AudienceError."""
    with closing(AudienceStore(database_url())) as store:
        store.remove_old()


def _open(url: str) -> sa.Engine:
    try:
        engine = open_database(url)
        make_tables(engine, METADATA)
    except (SQLAlchemyError, OSError, StoreError) as error:
        raise AudienceError(f"rooms cannot be stored: {reason_of(error)}") from None
    return engine


def _moved(spare: sa.Engine, url: str) -> sa.Engine:
    """Open a database and move all rooms and votes of a spare database to it. Raises
    AudienceError."""
    engine = _open(url)
    try:
        with spare.begin() as old, engine.begin() as new:
            for table in METADATA.sorted_tables:
                if rows := [dict(row) for row in old.execute(sa.select(table)).mappings()]:
                    new.execute(table.insert(), rows)
                old.execute(table.delete())
    except SQLAlchemyError as error:
        raise AudienceError(f"rooms cannot be stored: {reason_of(error)}") from None
    return engine


def _remove(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Remove rooms with their votes."""
    codes = sa.select(ROOMS.c.code).where(which)
    connection.execute(VOTES.delete().where(VOTES.c.room.in_(codes)))
    connection.execute(ROOMS.delete().where(which))


def _is_open() -> sa.ColumnElement[bool]:
    """Return the condition that a room's day is not over."""
    return ROOMS.c.created_at >= time.time() - LIFE_SECONDS


def _full() -> AudienceError:
    return AudienceError(f"the room is full: at most {MOST_VOTERS:,} people can join")


def _voter(code: str, visitor: str) -> str:
    """Return a visitor's name in one room, which reveals nothing in another room."""
    return hashlib.sha256(f"{code}:{visitor}".encode()).hexdigest()[:32]


def _from_row(row: Mapping) -> Room:
    pairs = tuple(
        Pair(tuple(map(tuple, pair["texts"])), pair["quantized"]) for pair in row["pairs"]
    )
    return Room(**{**row, "pairs": pairs})
