"""The trade-off between loss and size: where variants are, and which ones no other beats."""

from collections.abc import Sequence
from dataclasses import dataclass

from wlm.measuring.wording import SAME_LOSS


@dataclass(frozen=True)
class Place:
    """A variant's place in the trade-off: the bytes of its file, its loss minus the baseline's with
    the ends of the 95% interval (None if there are too few rounds), and its speed-up. Also whether
    a recorded run measured it."""

    variant: str
    label: str
    size_bytes: int
    loss_delta: float
    ends: tuple[float, float] | None
    speedup: float
    recorded: bool


def places(results: Sequence[tuple[dict, bool]]) -> list[Place]:
    """Return the variants of comparisons' JSON, which come with whether they were recorded: the
    first comparison's, and what others of the same weights, text and baseline add.

    A variant that several comparisons have is the first one's. Results of the first release, which
    have no intervals, are left out.
    """
    found: dict[str, Place] = {}
    for result, recorded in results:
        for row in result["results"] if _comparable(results[0][0], result) else []:
            if "loss_delta" in row and row["variant"] not in found:
                found[row["variant"]] = Place(
                    row["variant"],
                    row["label"],
                    row["size_bytes"],
                    row["loss_delta"],
                    tuple(row["loss_delta_ci95"]) if row["loss_delta_ci95"] else None,
                    row["speedup"],
                    recorded,
                )
    return list(found.values())


def front(places: Sequence[Place]) -> list[Place]:
    """Return the places that no other beats in both bytes and loss, the smallest file first.

    Source: Pareto's front.
    """
    best: list[Place] = []
    for place in sorted(places, key=lambda place: (place.size_bytes, place.loss_delta)):
        if not best or place.loss_delta < best[-1].loss_delta:
            best.append(place)
    return best


def best(rows: Sequence[dict]) -> int:
    """Return the position of the variant with the best trade-off among a comparison's results (its
    JSON, baseline first).

    That is the fastest variant whose loss is at most SAME_LOSS above the baseline's, and of equally
    fast variants the smallest. If every loss is higher, it is the variant with the lowest loss. The
    baseline is the best only if it is alone.
    """
    others = range(1, len(rows))
    kept = [i for i in others if rows[i]["loss"] - rows[0]["loss"] < SAME_LOSS]
    if not kept:
        return min(others, key=lambda i: rows[i]["loss"], default=0)
    # Runs of the first release have no speed-up.
    return max(kept, key=lambda i: (rows[i].get("speedup", 1.0), -rows[i]["size_bytes"]))


def _comparable(result: dict, other: dict) -> bool:
    """Tell whether losses and speed-ups of two comparisons can be compared."""
    ours, theirs = result["protocol"], other["protocol"]
    hashes = [
        (ours[key], theirs[key])
        for key in ("vocabulary_sha256", "text_sha256")
        if ours.get(key) and theirs.get(key)  # runs of earlier versions lack them
    ]
    same = ("weights_sha256", "text", "bptt", "batch_size")
    return (
        result["results"][0]["variant"] == other["results"][0]["variant"]
        and all(ours.get(key) == theirs.get(key) for key in same)
        and all(our == their for our, their in hashes)
    )
