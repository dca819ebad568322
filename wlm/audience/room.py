"""A room: the rounds of a blind test, and their progress."""

import secrets
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wlm.errors import AudienceError

ROUNDS = 3
SIDES = "AB"  # the texts of a round, by their places
SIGNS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that reads as a digit
CODE_LENGTH = 5
LIFE_SECONDS = 86_400.0


class Phase(StrEnum):
    """The phase of a round: not begun, open for votes, closed, or its truth shown."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"
    SHOWN = "shown"


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
    def is_over(self) -> bool:
        """Whether the last round's truth is shown."""
        return self.phase == Phase.SHOWN and self.round == len(self.pairs) - 1

    def reopened(self) -> "Room":
        """Return the room with its closed round open again; any other room as it is, since a truth
        that was shown cannot be hidden."""
        return replace(self, phase=Phase.OPEN) if self.phase == Phase.CLOSED else self

    def next(self) -> "Room":
        """Return the room one step further: a round is opened, closed, and its truth shown. A room
        that is over stays as it is."""
        if self.is_over:
            return self
        if self.phase in (Phase.OPEN, Phase.CLOSED):
            then = {Phase.OPEN: Phase.CLOSED, Phase.CLOSED: Phase.SHOWN}[self.phase]
            return replace(self, phase=then)
        return replace(self, phase=Phase.OPEN, round=self.round + (self.phase == Phase.SHOWN))

    def reset(self) -> "Room":
        """Return the room at its beginning, with a new code: everyone must join again."""
        return replace(self, code=new_code(), round=0, phase=Phase.WAITING, created_at=time.time())


def new_code() -> str:
    """Return a new code for a room: short enough to type, one of three million."""
    return "".join(secrets.choice(SIGNS) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """Return a room's code from a text that somebody typed. Raises AudienceError."""
    code = text.strip().upper()
    if len(code) != CODE_LENGTH or set(code) - set(SIGNS):
        raise AudienceError(
            f"a room's code is {CODE_LENGTH} letters such as KRTMD, got {text[:20]!r}"
        )
    return code
