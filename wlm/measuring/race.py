"""A comparison as a race: where each variant would be in the text at the same time."""

from collections.abc import Sequence


def lanes(result: dict, earlier: dict | None = None) -> list[dict]:
    """Return the lanes of a comparison's JSON, which may be partial, in its order: `label`, the
    `words` read by the race's time, the `pace` in words per second, and `earlier`, the words at
    that time in an earlier race, None without an earlier race.

    The variants took turns; in the race a separate clock counts each variant's own time. The race's
    time is the time that the fastest variant has used; the other variants are shown at their
    positions at that time. `earlier` is another comparison's JSON, whose variants run at their mean
    pace.
    """
    before = {}
    for row in earlier["results"] if earlier else []:
        before.setdefault(row["variant"], row["tokens_per_s"])
    clock = min(sum(block["wall_s"] for block in row["blocks"]) for row in result["results"])
    return [
        {
            "label": row["label"],
            "words": _words_at(row["blocks"], clock),
            "pace": sum(block["tokens"] for block in row["blocks"])
            / sum(block["wall_s"] for block in row["blocks"]),
            "earlier": clock * before[row["variant"]] if row["variant"] in before else None,
        }
        for row in result["results"]
    ]


def _words_at(blocks: Sequence[dict], clock: float) -> float:
    """Return the words read after `clock` seconds, at a constant pace within each block."""
    words = 0.0
    for block in blocks:
        share = min(1.0, clock / block["wall_s"])
        words += share * block["tokens"]
        clock -= share * block["wall_s"]
    return words
