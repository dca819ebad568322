"""The votes of a room, and whether they beat a coin."""

from collections.abc import Sequence
from dataclasses import dataclass

from wlm.measuring.intervals import Interval, share_interval


@dataclass(frozen=True)
class Votes:
    """How many votes each text of one round has, and which text the quantized model wrote."""

    counts: tuple[int, int]
    quantized: int

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def right(self) -> int:
        return self.counts[self.quantized]


def share_right(rounds: Sequence[Votes]) -> Interval | None:
    """Return the share of right votes over all rounds with its exact 95% interval; None without a
    vote. The interval treats all votes as independent, though a person casts several."""
    total = sum(votes.total for votes in rounds)
    return share_interval(sum(votes.right for votes in rounds), total) if total else None


def verdict(rounds: Sequence[Votes]) -> str:
    """Return in a few words whether the votes beat a coin."""
    share = share_right(rounds)
    if share is None:
        return "Nobody has voted."
    if share.low > 0.5:
        return "The room beats a coin."
    if share.high < 0.5:
        return "A coin beats the room."
    return "The room does not clearly beat a coin."


def count_right(rounds: Sequence[Votes]) -> str:
    """Return in a sentence how many votes were right, with the 95% interval of their share; an
    empty text without a vote."""
    share = share_right(rounds)
    if share is None:
        return ""
    right, total = (sum(getattr(votes, name) for votes in rounds) for name in ("right", "total"))
    return (
        f"{right:,} of {total:,} votes were right: {share.value:.0%} (95% interval {share.low:.0%} "
        f"to {share.high:.0%})."
    )
