"""One knob at several values: a comparison at each value, and a curve per variant."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import ClassVar

from wlm.catalog.registry import random_name
from wlm.errors import SettingError, check_range, parse_whole
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import thread_counts
from wlm.measuring.wording import disturbances, listed, shared_cpus, uneven_blocks

MOST_POINTS = 12
DEFAULT_SECONDS = 8.0


@dataclass(frozen=True)
class Knob:
    """What can be swept: its name in words, as an axis title and as `8 tokens` in a sentence."""

    label: str
    title: str
    unit: str


KNOBS = {
    "bptt": Knob("Chunk length", "chunk length (tokens, log scale)", "chunks of {}"),
    "batch_size": Knob("Batch size", "batch size (texts at once, log scale)", "batch size {}"),
    "threads": Knob("Threads", "threads", "thread count {}"),
    "hidden": Knob("Hidden size", "hidden size (random weights, log scale)", "hidden size {}"),
}


@dataclass(frozen=True)
class SweepSpec:
    """What to sweep: a knob of KNOBS, its values, and the comparison that is otherwise the same.

    Values are stored in ascending order, each once; `hidden` replaces the comparison's model with a
    model of random weights. Raises SettingError if a point cannot be measured.
    """

    kind: ClassVar[str] = "sweep"

    over: str
    values: tuple[int, ...]
    base: CompareSpec = field(default_factory=lambda: CompareSpec(seconds=DEFAULT_SECONDS))

    def __post_init__(self):
        _check_knob(self.over)
        check_range("the number of values", len(self.values), 1, MOST_POINTS)
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))
        self.points()

    def points(self) -> list[CompareSpec]:
        """Return the comparison at each value, in the values' order."""
        if self.over == "hidden":
            return [replace(self.base, model=random_name(value)) for value in self.values]
        return [replace(self.base, **{self.over: value}) for value in self.values]

    @property
    def most_seconds(self) -> float | None:
        """Return about how long all points take at most; None if each reads the text to its end."""
        of_point = self.base.most_seconds
        return None if of_point is None else len(self.values) * of_point

    def to_json(self) -> dict:
        """Return the settings as plain JSON: the comparison's settings, the knob and its values."""
        return {"over": self.over, "values": list(self.values), **self.base.to_json()}

    @classmethod
    def from_json(cls, content: dict) -> "SweepSpec":
        """Make a spec from the JSON that `to_json` returns. Raises SettingError for unknown
        settings."""
        base = {name: value for name, value in content.items() if name not in ("over", "values")}
        return cls(content["over"], tuple(content["values"]), CompareSpec.from_json(base))


@dataclass(frozen=True)
class Preset:
    """A question that a sweep answers, the reason to ask it, and the sweep's knob and values."""

    question: str
    sentence: str
    over: str
    values: tuple[int, ...]


def presets() -> list[Preset]:
    """Return the questions to ask first. The numbers of threads depend on this machine."""
    return [
        Preset(
            "One word or many at a time?",
            "With chunks of one token, as in writing word by word, a model reads all weights from "
            "memory for every token, and int8 has a quarter of the bytes. In long chunks, "
            "arithmetic takes the time.",
            "bptt",
            (1, 5, 25, 100, 400),
        ),
        Preset(
            "How big must a model be?",
            "At each step of the text, int8 quantizes the layers' inputs. In a small model, this "
            "costs more time than the smaller weights save.",
            "hidden",
            (8, 16, 32, 64, 128, 256, 512),
        ),
        Preset(
            "What do batches do?",
            "A batch reads the weights once for several texts. The texts share the memory traffic "
            "that int8 saves, so its lead shrinks.",
            "batch_size",
            (1, 2, 4, 8, 16, 32),
        ),
        Preset(
            "Do more threads help?",
            "The steps of an LSTM follow one another, so threads can only share the work within a "
            "step.",
            "threads",
            thread_counts(),
        ),
    ]


def parse_over(text: str) -> tuple[str, tuple[int, ...]]:
    """Read a knob and its values, such as `bptt=1,5,25,100`. Raises SettingError."""
    over, _, values = text.partition("=")
    over = over.strip().replace("-", "_")
    _check_knob(over)
    return over, parse_values(values)


def _check_knob(name: str) -> None:
    if name not in KNOBS:
        known = ", ".join(KNOBS)
        raise SettingError(f"the setting to sweep must be one of {known}, got {name[:80]!r}")


def parse_values(text: str) -> tuple[int, ...]:
    """Read whole numbers separated by commas. Raises SettingError."""
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    check_range("the number of values", len(pieces), 1, MOST_POINTS)
    values = [parse_whole(piece) for piece in pieces]
    if None in values:
        piece = pieces[values.index(None)][:80]
        raise SettingError(
            f"the values must be whole numbers separated by commas, such as 1,5,25, got {piece!r}"
        )
    return tuple(values)


def to_json(spec: SweepSpec, results: Sequence[dict | None]) -> dict:
    """Return a sweep as docs/json.md describes it, from each point's comparison (its JSON, or None
    if it is not measured yet); `machine` is the first point's."""
    points = [
        {"value": value, **result}
        for value, result in zip(spec.values, results, strict=True)
        if result
    ]
    return {
        "machine": points[0]["machine"] if points else None,
        "over": spec.over,
        "values": list(spec.values),
        "points": points,
    }


def curves(sweep: dict) -> list[dict]:
    """Return a row per value and variant of a sweep's JSON: `value`, `label`, `variant`,
    `tokens_per_s`, the elapsed and CPU milliseconds per token, `elapsed_ms` and `cpu_ms`,
    `speedup`, and the ends of its 95% interval, `low` and `high`, None if there are too few groups.
    """
    rows = []
    for point in sweep["points"]:
        for result in point["results"]:
            low, high = result["speedup_ci95"] or (None, None)
            names = ("label", "variant", "tokens_per_s", "speedup", "verdict")
            row = {name: result[name] for name in names}
            ms = 1000 / result["tokens_per_s"]
            times = {"elapsed_ms": ms, "cpu_ms": ms * result["cpu_share"]}
            rows.append({"value": point["value"], **row, **times, "low": low, "high": high})
    return rows


@dataclass(frozen=True)
class Outcome:
    """The result of a sweep for one variant: its rows (see `curves`) with the largest and the
    smallest speed-up among the rows known to be faster or slower (None if there are none). Also the
    values at which the variant is certainly slower than the baseline, and the undecided values."""

    label: str
    most: dict | None
    least: dict | None
    slower_at: tuple[int, ...]
    undecided_at: tuple[int, ...]


def outcomes(sweep: dict) -> list[Outcome]:
    """Return the outcome of a sweep's JSON for each variant but the baseline."""
    rows = [row for row in curves(sweep) if row["verdict"] != "baseline"]
    found = []
    for label in dict.fromkeys(row["label"] for row in rows):
        ours = [row for row in rows if row["label"] == label]
        known = [row for row in ours if row["verdict"] != "undecided"]
        most, least = (
            pick(known, key=lambda row: row["speedup"], default=None) for pick in (max, min)
        )
        slower, undecided = (
            tuple(row["value"] for row in ours if row["verdict"] == verdict)
            for verdict in ("slower", "undecided")
        )
        found.append(Outcome(label, most, least, slower, undecided))
    return found


def thread_costs(sweep: dict) -> list[str]:
    """Return in a sentence per variant what the most threads cost compared with the fewest; nothing
    for other knobs and for fewer than two points."""
    if sweep["over"] != "threads" or len(sweep["points"]) < 2:
        return []
    few, many = sweep["points"][0], sweep["points"][-1]
    found = []
    for one, other in zip(few["results"], many["results"], strict=True):
        elapsed = one["tokens_per_s"] / other["tokens_per_s"]
        cpu = elapsed * other["cpu_share"] / one["cpu_share"]
        change = f"{many['value']} threads instead of {few['value']}"
        costs = f"{elapsed:.2f} times the elapsed time, {cpu:.2f} times the CPU time"
        found.append(f"{one['label']}, {change}: {costs}.")
    return found


def sentence(over: str, outcome: Outcome) -> str:
    """Return an outcome as a sentence to read aloud."""
    unit, most, least = KNOBS[over].unit, outcome.most, outcome.least
    words = []
    if most:
        words.append(f"{most['speedup']:.1f} times as fast at {unit.format(most['value'])}")
    if least is not most:
        words[0] += f", {least['speedup']:.1f} at {unit.format(least['value'])}"
    if outcome.slower_at:
        words.append(f"slower than the baseline at {unit.format(listed(outcome.slower_at))}")
    if outcome.undecided_at:
        words.append(f"undecided at {unit.format(listed(outcome.undecided_at))}")
    return f"{outcome.label}: {'; '.join(words)}."


def warnings(sweep: dict) -> list[str]:
    """Return a comparison's warnings, once for all points of a sweep's JSON; for disturbed points,
    only the worst variant of each."""
    unit, uneven, starved, others = KNOBS[sweep["over"]].unit, [], [], []
    for point in sweep["points"]:
        at = unit.format(point["value"])
        results = [{**result, "label": f"{result['label']}, {at}"} for result in point["results"]]
        uneven.append(max(results, key=itemgetter("spread")))
        starved.append(min(results, key=itemgetter("cpu_share")))
        own = disturbances(point["results"])
        others += [warning for warning in point["warnings"] if warning not in own]
    return [*uneven_blocks(uneven), *shared_cpus(starved), *dict.fromkeys(others)]


def machines(sweep: dict) -> dict[str, list[int]]:
    """Return the values measured on each machine, by its CPU and its host's short label."""
    found: dict[str, list[int]] = {}
    for point in sweep["points"]:
        machine = point["machine"]
        name = f"{machine['cpu']}, {machine['cpus']} CPUs, host {machine.get('host', 'unknown')}"
        found.setdefault(name, []).append(point["value"])
    return found
