"""The rooms of this server, and of all servers that share its database."""

from view.shared import server, visitor
from view.shared.singleton import singleton
from wlm.audience.room import SIDES, Phase, Room
from wlm.audience.store import LIFE_SECONDS, MOST_ROOMS, MOST_VOTERS, AudienceStore
from wlm.errors import AudienceError, NoRoomError
from wlm.paths import database_url
from wlm.rate_limit import RateLimit

# Limits per network address, which a whole lecture hall may share.
HOSTS = RateLimit(MOST_ROOMS // 10, LIFE_SECONDS)  # visitors who opened rooms
VOTERS = RateLimit(MOST_VOTERS // 2, LIFE_SECONDS)  # by room and visitor
WRONG_CODES = RateLimit(30, 60.0)


@singleton
def rooms() -> AudienceStore:
    """Return the store of rooms. If its database cannot be opened, rooms end with the server."""
    return AudienceStore(database_url(), lambda: server.job_queue().store.spill_url)


def open_room(room: Room) -> None:
    """Store a new room. Raises AudienceError, also if too many come from one network."""
    if not HOSTS.take(visitor.address(), room.host):
        raise AudienceError(
            f"at most {HOSTS.most} people on one network can open rooms in a day: try tomorrow"
        )
    rooms().open_room(room)


def find_room(code: str) -> Room:
    """Return the room with this code. Raises AudienceError if there is none, or if too many wrong
    codes come from one network, so that nobody can guess codes."""
    address = visitor.address()
    is_known = VOTERS.has(address, (code, visitor.name()))
    if not is_known and WRONG_CODES.is_full(address):
        raise AudienceError("too many wrong codes came from your network: wait a minute")
    try:
        return rooms().look(code)[0]
    except NoRoomError:
        WRONG_CODES.take(address)
        raise


def join(room: Room) -> None:
    """Record that the visitor joined a room. Raises AudienceError if the room is full, or if too
    many join from one network."""
    if not VOTERS.take(visitor.address(), (room.code, visitor.name())):
        raise AudienceError(
            f"at most {VOTERS.most:,} people on one network can join rooms in a day"
        )
    rooms().join(room.code, visitor.name())


def writers(room: Room) -> list[str]:
    """Return who wrote the texts of the current round, or nothing until the truth is shown."""
    if room.phase != Phase.SHOWN:
        return []
    return [room.pair.writer(side) for side in range(len(SIDES))]
