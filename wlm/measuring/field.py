"""Many variants at a glance: what each costs in loss and in bytes, and which none beats."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a variant stands beside its baseline: the bytes of its file, its loss less the
    baseline's with the ends of its 95% interval (None while there are too few rounds), how many
    times as fast it is; and whether that was measured in the run at hand or recorded before."""

    variant: str
    label: str
    size_bytes: int
    loss_delta: float
    ends: tuple[float, float] | None
    speedup: float
    recorded: bool


def places(results: Sequence[tuple[dict, bool]]) -> list[Place]:
    """Return the variants of comparisons' JSON, each with whether it was recorded: those of the
    first one, and what others of the same weights, text and baseline add.

    Each variant stands once, as the first that has it; results of the first release, without
    intervals, are left out.
    """
    found: dict[str, Place] = {}
    for result, recorded in results:
        for row in result["results"] if _beside(results[0][0], result) else []:
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
    """Return the places that no other beats in bytes and loss both, the smallest file first.

    Source: Pareto's front: what is left out is no better in either than one that is in.
    """
    best: list[Place] = []
    for each in sorted(places, key=lambda each: (each.size_bytes, each.loss_delta)):
        if not best or each.loss_delta < best[-1].loss_delta:
            best.append(each)
    return best


def _beside(result: dict, other: dict) -> bool:
    """Whether losses and speed-ups of two comparisons may be next to each other."""
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
