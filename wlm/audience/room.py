"""A room: the rounds of a blind test, and their progress."""

import secrets
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wlm.errors import AudienceError

ROUNDS = 3
SIDES = "AB"  # the texts of a round, by their places
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that looks like a digit
CODE_LENGTH = 5
LIFE_SECONDS = 86_400.0


class Phase(StrEnum):
    """The phase of a room. Each round is open for votes, then closed, then its truth is shown.
    Before the first round the room is waiting; after the last round, the result of all rounds is
    shown."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"
    SHOWN = "shown"
    RESULT = "result"


@dataclass(frozen=True)
class Pair:
    """Two texts, as words, and which of them (0 or 1) the quantized model wrote."""

    texts: tuple[tuple[str, ...], tuple[str, ...]]
    quantized: int

    def writer(self, side: int) -> str:
        """Return the precision of the model that wrote a text, 0 or 1."""
        return "int8" if side == self.quantized else "fp32"


@dataclass(frozen=True)
class Room:
    """A blind test for many people: its code, its current pair (from 0), and that pair's phase.

    `host` is the visitor who leads the room. The room ends a day after `created_at`, in seconds
    since 1970.
    """

    host: str
    pairs: tuple[Pair, ...]
    code: str = field(default_factory=lambda: new_code())
    round: int = 0
    phase: Phase = Phase.WAITING
    created_at: float = field(default_factory=time.time)

    @property
    def pair(self) -> Pair:
        """The pair of the current round."""
        return self.pairs[self.round]

    @property
    def is_last_round(self) -> bool:
        """Whether no round follows the current one."""
        return self.round == len(self.pairs) - 1

    def reopened(self) -> "Room":
        """Return the room with its closed round open again. Return any other room as it is, because
        a truth that was shown cannot be hidden."""
        return replace(self, phase=Phase.OPEN) if self.phase == Phase.CLOSED else self

    def next(self) -> "Room":
        """Return the room one step further. A room that is over stays as it is."""
        if self.phase == Phase.RESULT:
            return self
        if self.phase != Phase.SHOWN:
            phases = list(Phase)
            return replace(self, phase=phases[phases.index(self.phase) + 1])
        if self.is_last_round:
            return replace(self, phase=Phase.RESULT)
        return replace(self, phase=Phase.OPEN, round=self.round + 1)

    def reset(self) -> "Room":
        """Return the room at its beginning, with a new code: everyone must join again."""
        return replace(self, code=new_code(), round=0, phase=Phase.WAITING, created_at=time.time())


def new_code() -> str:
    """Return a new code for a room: short enough to type, one of three million."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """Return a room code from a text that somebody typed. Raises AudienceError."""
    code = text.strip().upper()
    if len(code) != CODE_LENGTH or set(code) - set(LETTERS):
        raise AudienceError(
            f"a room code has {CODE_LENGTH} letters, such as KRTMD; got {text[:20]!r}"
        )
    return code
