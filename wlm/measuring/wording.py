"""The results of a comparison in sentences to read aloud."""

import math
from collections.abc import Iterable

MOST_UNKNOWN = 0.10  # of a text's words: above, its loss is mostly the loss of `<unk>`
SAME_LOSS = 0.01  # nats per token: below, a reader would not notice
MOST_SPREAD = 0.10  # of times that nothing disturbed
LEAST_CPU_SHARE = 0.90
MUCH_MORE = 2.0  # times a file's bytes: memory that needs an explanation
MOST_HALF_WIDTH = 0.30  # of a speed-up's interval: above, the speed-up is not shown in words


def half_width(row: dict) -> float:
    """Return the relative half-width of a speed-up's 95% interval (a result's JSON), infinite if
    there is no interval."""
    ends = row.get("speedup_ci95")
    return math.sqrt(ends[1] / ends[0]) - 1 if ends and ends[0] > 0 else math.inf


def sentence(result: dict, i: int = -1) -> str:
    """Return the verdict on a comparison's i-th variant (its JSON) as a sentence to read aloud."""
    baseline, chosen = result["results"][0], result["results"][i]
    if chosen is baseline:
        return f"{chosen['label']} has a loss of {chosen['loss']:.2f} nats per token."
    label, other = chosen["label"], baseline["label"]
    delta = chosen["loss"] - baseline["loss"]
    loss = f"at the same loss to within {SAME_LOSS} nats"
    if abs(delta) >= SAME_LOSS:
        loss = f"at a loss {abs(delta):.2f} nats {'higher' if delta > 0 else 'lower'}"
    # Runs of the first release have no interval.
    ends = chosen.get("speedup_ci95")
    if ends is None:
        return f"Undecided: too few groups to tell {label}'s speed from {other}'s, {loss}."
    if chosen["verdict"] == "undecided":
        low, high = (_against(end) for end in ends)
        than = "as" if high.endswith("as fast") else "than"
        return f"Undecided: {label} may be anything from {low} to {high} {than} {other}, {loss}."
    if half_width(chosen) > MOST_HALF_WIDTH:
        return f"Uncertain: the speed-up of {label} is not known to within 30% yet, {loss}."
    words = _against(chosen["speedup"])
    than = "as" if "times as" in words else "than"
    give_or_take = _percent(half_width(chosen))
    return f"{label} is {words} {than} {other}, give or take {give_or_take}, {loss}."


def busy(what: str, by: str) -> str:
    """Return the warning that the times of blocks or rounds differ, by how much in words."""
    return (
        f"Something else was using this machine: {what} differ from one another by {by}, quartile "
        "to quartile."
    )


def how_sure(result: dict) -> str:
    """Return how many rounds and groups the intervals of a comparison's JSON come from."""
    rounds, groups = result["rounds"], result.get("groups")
    if groups is None:  # as earlier versions measured
        return f"{rounds} rounds within one process, prepared once"
    least, most = min(groups), max(groups)
    of = counted(most, "round")
    of = of if least == most else f"{least} to {of}"
    if len(groups) == 1:
        return f"1 group of {of}"
    return f"{len(groups)} groups of {of}, prepared again for each"


def disturbances(results: list[dict]) -> list[str]:
    """Return what a reader should know before trusting the times of results (their JSON), in
    sentences."""
    return [*uneven_blocks(results), *shared_cpus(results)]


def uneven_blocks(results: list[dict]) -> list[str]:
    """Return the warning about the results whose block times vary too much, if there are any."""
    uneven = [result for result in results if result["spread"] > MOST_SPREAD]
    by = ", ".join(f"{result['spread']:.0%} ({result['label']})" for result in uneven)
    return [busy("blocks", by)] if uneven else []


def shared_cpus(results: list[dict]) -> list[str]:
    """Return the warning about the results that had too little CPU time, if there are any."""
    starved = [result for result in results if result["cpu_share"] < LEAST_CPU_SHARE]
    shares = ", ".join(f"{result['cpu_share']:.0%} ({result['label']})" for result in starved)
    told = "Other programs, or a quota, took CPU time away: the share of its time that each had a "
    return [f"{told}CPU was {shares}."] if starved else []


def read_as(protocol: dict) -> str:
    """Return how much of a text was unknown to the model (a comparison's protocol), in words; empty
    if nothing was unknown, or if unknown words were not counted."""
    unknown = protocol.get("unknown")
    if not unknown or not unknown["tokens"]:
        return ""
    return f"{unknown['share']:.1%} unknown ({unknown['tokens']:,})"


def unknown_warnings(unknown: dict) -> list[str]:
    """Return warnings, in sentences, about a loss over a text with unknown words."""
    from wlm.text.vocabulary import NO_EOS, UNK  # and with it PyTorch, for which help cannot wait

    found = []
    if unknown["share"] > MOST_UNKNOWN:
        found.append(
            f"{unknown['share']:.1%} of the text's words are unknown to the model and read as "
            f"`{UNK}`, whose loss says little: go by the loss over known words."
        )
    if unknown["line_ends"]:
        found.append(f"{NO_EOS}.")
    if recomposed := unknown.get("recomposed"):
        does = "composes its" if recomposed == 1 else "compose their"
        found.append(
            f"{recomposed:,} of the words read {does} accents differently from the vocabulary "
            "(Unicode NFC and NFD): wlm reads them as the vocabulary writes them."
        )
    return found


def left_out(tokens: int) -> str:
    """Return the warning that a batch leaves out tokens at the text's end."""
    return (
        f"{counted(tokens, 'token')} at the end of the text "
        f"{'are' if tokens > 1 else 'is'} not read, so that all columns of the batch are equally "
        "long."
    )


def size_unit(sizes: Iterable[int]) -> tuple[str, float]:
    """Return the unit in which sizes in bytes are shown together, and its bytes: MB, or kB if all
    sizes are below 0.1 MB."""
    return ("MB", 1e6) if max(sizes, default=0) >= 100_000 else ("kB", 1e3)


def size_in_words(size: int, digits: int = 1) -> str:
    """Return a size in bytes as `79.7 MB`, or `3.2 kB` below 0.1 MB."""
    unit, scale = size_unit([size])
    return f"{size / scale:,.{digits}f} {unit}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 thread`, `2 threads`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: Iterable[object]) -> str:
    """Return items as text to read aloud: `1, 5 and 25`."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last


def repacked(variant: str, label: str, added_bytes: int, file_bytes: int) -> str:
    """Return why fp32 on ONNX Runtime takes much more memory than its file, in a sentence; empty
    for other variants, which are given by their names."""
    if variant != "onnxruntime:" or added_bytes < MUCH_MORE * file_bytes:
        return ""
    return (
        f"{label} takes {size_in_words(added_bytes, 0)} of memory for a file of "
        f"{size_in_words(file_bytes, 0)}: ONNX Runtime keeps repacked copies of the weights."
    )


def memory_sentences(results: list[dict]) -> list[str]:
    """Return the memory of each variant that was measured (results' JSON) in sentences."""
    found = [row for row in results if row.get("memory")]
    if not found:
        return []
    memories = ", ".join(
        f"{row['label']} {size_in_words(row['memory']['added_bytes'], 0)} "
        f"(peak {size_in_words(row['memory']['peak_bytes'], 0)})"
        for row in found
    )
    kind = "private" if found[0]["memory"]["measure"] == "USS" else "resident"
    copies = (
        repacked(row["variant"], row["label"], row["memory"]["added_bytes"], row["size_bytes"])
        for row in found
    )
    return [f"Added to a process's {kind} memory: {memories}.", *filter(None, copies)]


def _against(ratio: float) -> str:
    """Return a speed-up in words: percent near 1, else times."""
    if ratio >= 1.5:
        return f"{ratio:.1f} times as fast"
    if ratio <= 1 / 1.5:
        return f"{1 / ratio:.1f} times as slow"
    return f"{_percent(abs(ratio - 1))} {'faster' if ratio >= 1 else 'slower'}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "less than 1%"
