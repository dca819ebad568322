"""A finished run in words and as files: verdict, CSV, JSON, Markdown, and reading such JSON back.

An exported file comes from anyone. `from_json` checks it field by field, takes nothing that it
does not know, and computes again what follows from the blocks; a file that says otherwise is
refused.
"""

import csv
import io
import itertools
import json
import math
import re
import reprlib
import time
from typing import Any, NoReturn

from wlm.compare import CompareSpec, Comparison
from wlm.errors import ReportError, WLMError
from wlm.evaluate import Block
from wlm.runs import Run, State
from wlm.variant import Variant

FORMAT, VERSION = "wlm-run", 1
MOST_BYTES = 5_000_000
MOST_BLOCKS = 50_000  # over all variants
MOST_SECONDS = 1e7
MOST_LOSS = 500.0
MOST_THREADS = 1024  # another machine's, so this one's CPUs are no limit
AGREEMENT = 1e-6
SAME_LOSS = 0.01  # nats per token: below, a reader would not notice
FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Imported words are shown as Markdown, where these could draw images and links.
MARKUP = re.compile(r"[\[\]<>`$]")


def sentence(result: dict, i: int = -1) -> str:
    """Return the verdict on a comparison's i-th variant (its JSON) as one would read it aloud."""
    baseline, chosen = result["results"][0], result["results"][i]
    if chosen is baseline:
        return f"{chosen['label']} has a loss of {chosen['loss']:.2f} nats per token."
    label, other = chosen["label"], baseline["label"]
    delta = chosen["loss"] - baseline["loss"]
    loss = "at the same loss"
    if abs(delta) >= SAME_LOSS:
        loss = f"at a loss {abs(delta):.2f} nats {'higher' if delta > 0 else 'lower'}"
    # Runs of the first release have no interval.
    ends = chosen.get("speedup_ci95")
    if ends is None:
        return f"Undecided: too few rounds to tell {label}'s speed from {other}'s, {loss}."
    if chosen["verdict"] == "undecided":
        low, high = (_against(end) for end in ends)
        than = "as" if high.endswith("as fast") else "than"
        return f"Undecided: {label} may be anything from {low} to {high} {than} {other}, {loss}."
    words = _against(chosen["speedup"])
    than = "as" if "times as" in words else "than"
    give_or_take = _percent(math.sqrt(ends[1] / ends[0]) - 1)
    return f"{label} is {words} {than} {other}, give or take {give_or_take}, {loss}."


def _against(ratio: float) -> str:
    """A speed-up in words: percent near 1, else times."""
    if ratio >= 1.5:
        return f"{ratio:.1f} times as fast"
    if ratio <= 1 / 1.5:
        return f"{1 / ratio:.1f} times as slow"
    return f"{_percent(abs(ratio - 1))} {'faster' if ratio >= 1 else 'slower'}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "less than 1%"


def summary(run: Run) -> dict:
    """Return what a list of runs shows of one: its id, what was asked, and the last variant's
    outcome (None where nothing was measured). Times are seconds since 1970."""
    result = run.result or {}
    chosen = (result.get("results") or [{}])[-1]
    machine = result.get("machine", {})
    return {
        "id": run.id,
        "created_at": run.created_at,
        "state": str(run.state),
        "origin": run.origin or "measured here",
        "model": run.spec.get("model"),
        "text": result.get("protocol", run.spec).get("text"),
        "variants": [Variant.parse(name).label for name in run.spec.get("variants", [])],
        "verdict": chosen.get("verdict"),
        "speedup": chosen.get("speedup"),
        "speedup_ci95": chosen.get("speedup_ci95"),
        "loss": chosen.get("loss"),
        "loss_delta": chosen.get("loss_delta"),
        "cpu": machine.get("cpu"),
        "cpus": machine.get("cpus"),
        "torch": machine.get("torch"),
    }


def to_csv(run: Run) -> str:
    """Return a run's blocks as CSV, one a row. Raises ReportError where nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["round", "variant", "label", "tokens", "wall_s", "cpu_s"])
    results = _measured(run)["results"]
    for i, blocks in enumerate(zip(*(each["blocks"] for each in results), strict=True), start=1):
        for each, block in zip(results, blocks, strict=True):
            times = block["wall_s"], block["cpu_s"]
            writer.writerow([i, each["variant"], each["label"], block["tokens"], *times])
    return text.getvalue()


def to_json(run: Run) -> str:
    """Return a run as a file that `from_json` reads. Raises ReportError while it is under way."""
    if not run.state.final:
        raise ReportError(f"a run must have ended to be exported, this one is {run.state}")
    names = ("id", "kind", "spec", "state", "created_at", "finished_at", "message", "result")
    content = {name: getattr(run, name) for name in names}
    return json.dumps({"format": FORMAT, "version": VERSION, "run": content}, indent=1)


def to_markdown(run: Run) -> str:
    """Return a run as a report to paste into an issue. Raises ReportError where nothing was
    measured."""
    result = _measured(run)
    protocol, machine = result["protocol"], result["machine"]
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.created_at))
    heads = ["variant", "size, MB", "loss, nats", "elapsed, s", "times as fast", "95% interval"]
    rows = [
        [
            each["label"],
            f"{each['size_bytes'] / 1e6:.1f}",
            f"{each['loss']:.4f}",
            f"{each['elapsed_s']:.2f}",
            f"{each.get('speedup', 1.0):.2f}",
            "{:.2f} to {:.2f}".format(*ends) if (ends := each.get("speedup_ci95")) else "–",
        ]
        for each in result["results"]
    ]
    facts = {
        "model": protocol["model"],
        "text": f"{protocol['text']}, {protocol['tokens']:,} tokens",
        "protocol": f"batch size {protocol['batch_size']}, chunks of {protocol['bptt']} tokens, "
        f"threads {protocol['threads']}, seed {protocol['seed']}, "
        f"{len(result['results'][0]['blocks'])} rounds",
        "machine": f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}",
        "versions": f"wlm {machine['wlm']}, torch {machine['torch']}, "
        f"engine {machine['quantized_engine']}, Python {machine['python']}",
        "run": f"{run.id}, {run.state}, {run.origin or 'measured'} {date}",
    }
    verdicts = [sentence(result, i) for i in range(1, len(rows))] or [sentence(result)]
    lines = [
        *(f"**{each}**\n" for each in verdicts),
        *("| " + " | ".join(row) + " |" for row in [heads, ["---"] + ["--:"] * 5, *rows]),
        "",
        # As code: a name from elsewhere must not become a link or mention somebody.
        *(f"- {name}: `{value.replace('`', ' ')}`" for name, value in facts.items()),
        *(f"- warning: {warning}" for warning in result.get("warnings", [])),
    ]
    return "\n".join(lines) + "\n"


def _measured(run: Run) -> dict:
    if not run.result:
        raise ReportError(f"run {run.id!r} has measured nothing")
    return run.result


def from_json(text: str | bytes) -> Run:
    """Read what `to_json` wrote, as a new run with an id of its own and the origin `imported`.

    Machine facts, sizes and losses are taken as they are said; what follows from the blocks is
    computed again. Raises ReportError, which names the field, the allowed values and the value
    received.
    """
    if len(text) > MOST_BYTES:
        raise ReportError(
            f"an exported run must be of at most {MOST_BYTES:,} bytes, got {len(text):,}"
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error) or "it is nested too deeply"
        raise ReportError(f"an exported run must be a JSON file: {reason}") from None
    top = _object("the file", content, ("format", "version", "run"))
    _one_of("format", top["format"], [FORMAT])
    _one_of("version", top["version"], [VERSION])
    names = ("kind", "spec", "state", "created_at", "finished_at", "message", "result")
    run = _object("run", top["run"], names)
    _one_of("run.kind", run["kind"], ["compare"])
    _one_of("run.state", run["state"], [str(state) for state in State if state.final])
    latest = time.time() + 86_400.0  # clocks differ
    spec = _spec(run["spec"])
    return Run(
        kind="compare",
        spec=spec,
        state=State(run["state"]),
        done=1.0,
        created_at=_number("run.created_at", run["created_at"], 0.0, latest),
        finished_at=_number("run.finished_at", run["finished_at"], 0.0, latest, optional=True),
        message=_words("run.message", run["message"], 1000),
        result=None if run["result"] is None else _result(run["result"], spec),
        origin="imported",
    )


def _spec(content: Any) -> dict:
    """Check the settings; the threads may be more than this machine has CPUs."""
    path = "run.spec"
    spec = _object(path, content, ("variants", "model", "text", "threads"))
    for i, name in enumerate(_list(f"{path}.variants", spec["variants"], 8)):
        _words(f"{path}.variants[{i}]", name, 100)
    for name in ("model", "text"):
        _words(f"{path}.{name}", spec[name], 300)
    for name in ("vocabulary", "corpus"):
        if spec.get(name) is not None:
            _words(f"{path}.{name}", spec[name], 300)
    threads = _number(f"{path}.threads", spec["threads"], 1, MOST_THREADS)
    try:
        return {**CompareSpec.from_json({**spec, "threads": 1}).to_json(), "threads": threads}
    except WLMError as error:
        raise ReportError(f"{path}: {str(error)[:300]}") from None
    except (TypeError, AttributeError, RecursionError):
        _refuse(path, "a comparison's settings", spec)


def _result(content: Any, spec: dict) -> dict:
    """Check what was measured, and work it out again from its blocks."""
    path = "run.result"
    result = _object(path, content, ("machine", "protocol", "results"))
    protocol = _object(f"{path}.protocol", result["protocol"], ("text", "tokens"))
    text = _words(f"{path}.protocol.text", protocol["text"], 300)
    tokens = _number(f"{path}.protocol.tokens", protocol["tokens"], 2, 10**9)
    asked = CompareSpec.from_json({**spec, "threads": 1})
    given = _list(f"{path}.results", result["results"], len(asked.variants), len(asked.variants))
    names = ("size_bytes", "loss", "blocks", "loss_delta_ci95", "context_switches")
    given = [_object(f"{path}.results[{i}]", each, names) for i, each in enumerate(given)]
    blocks = _blocks(path, given)
    first_pass = _first_pass(f"{path}.protocol.tokens", blocks[0], tokens, asked.batch_size)
    comparison = Comparison(
        asked,
        text,
        sizes=[
            _number(f"{path}.results[{i}].size_bytes", each["size_bytes"], 1, 10**13)
            for i, each in enumerate(given)
        ],
        rounds_per_pass=first_pass,
        blocks=blocks,
        machine=_machine(f"{path}.machine", result["machine"]),
    )
    ours = comparison.to_json()
    ours["machine"]["load_1min_end"] = comparison.machine.get("load_1min_end")
    ours["protocol"]["threads"] = spec["threads"]
    for i, (said, found) in enumerate(zip(given, ours["results"], strict=True)):
        _agree(f"{path}.results[{i}]", said, found)
    return ours


def _blocks(path: str, given: list[dict]) -> list[list[Block]]:
    """Check every variant's blocks: as many, and of the same tokens, as the baseline's."""
    most = MOST_BLOCKS // len(given)
    blocks: list[list[Block]] = []
    for i, each in enumerate(given):
        here = f"{path}.results[{i}]"
        loss = _number(f"{here}.loss", each["loss"], 0.0, MOST_LOSS)
        rounds = (len(blocks[0]), len(blocks[0])) if blocks else (most, 1)
        checked = []
        for j, block in enumerate(_list(f"{here}.blocks", each["blocks"], *rounds)):
            at = f"{here}.blocks[{j}]"
            block = _object(at, block, ("tokens", "wall_s", "cpu_s"))
            tokens = _number(f"{at}.tokens", block["tokens"], 1, 10**9)
            if blocks and tokens != blocks[0][j].tokens:
                _refuse(f"{at}.tokens", f"{blocks[0][j].tokens}, the baseline's", tokens)
            wall_s = _number(f"{at}.wall_s", block["wall_s"], 1e-9, MOST_SECONDS)
            cpu_s = _number(f"{at}.cpu_s", block["cpu_s"], 0.0, MOST_SECONDS)
            # How a pass's loss falls on its blocks is not exported; only the sum counts below.
            checked.append(Block(tokens, loss * tokens, wall_s, cpu_s))
        blocks.append(checked)
    return blocks


def _first_pass(path: str, blocks: list[Block], tokens: int, batch_size: int) -> int:
    """Return how many blocks read that many tokens: later ones read the text again."""
    totals = list(itertools.accumulate((block.tokens for block in blocks), initial=batch_size))
    if tokens not in totals[1:]:
        _refuse(path, "batch_size and the first blocks' tokens together", tokens)
    return totals.index(tokens)


def _agree(path: str, said: dict, found: dict) -> None:
    """Refuse a result whose numbers are not those of its blocks; take from it what only it knows:
    the loss difference's interval and the context switches."""
    for name in ("elapsed_s", "cpu_s", "tokens_per_s", "perplexity", "speedup", "loss_delta"):
        value = _number(f"{path}.{name}", said.get(name), -1e300, 1e300)
        if not math.isclose(value, found[name], rel_tol=AGREEMENT, abs_tol=1e-9):
            _refuse(f"{path}.{name}", f"{found[name]:.9g}, as loss and blocks have it", value)
        found[name] = value
    found["loss"] = said["loss"]
    for name in ("variant", "label"):
        _one_of(f"{path}.{name}", said.get(name), [found[name]])
    if (ends := said["loss_delta_ci95"]) is not None:
        here = f"{path}.loss_delta_ci95"
        low, high = (
            _number(f"{here}[{j}]", end, -1e6, 1e6) for j, end in enumerate(_list(here, ends, 2, 2))
        )
        if low > high:
            _refuse(here, "two numbers, the lower first", ends)
    found["loss_delta_ci95"] = ends
    here, switches = f"{path}.context_switches", said["context_switches"]
    found["context_switches"] = _number(here, switches, 0, 10**12, optional=True)


def _machine(path: str, content: Any) -> dict:
    """Check a machine's facts: a few that pages name, and any others that are plain and short."""
    machine = _object(path, content, ("cpu", "cpus", "os", "python", "torch", "wlm"))
    _number(f"the length of {path}", len(machine), 0, 50)
    for name, value in machine.items():
        if not FACT_NAME.fullmatch(name):
            _refuse(f"each name in {path}", "of at most 40 small letters, digits and _", name)
        for each in _list(f"{path}.{name}", value, 100) if isinstance(value, list) else [value]:
            if isinstance(each, str):
                _words(f"{path}.{name}", each, 200)
            elif each is not None:
                _number(f"{path}.{name}", each, -1e18, 1e18)
    for name in ("cpu", "os", "python", "torch", "wlm", "quantized_engine"):
        _words(f"{path}.{name}", machine.get(name), 200)
    _number(f"{path}.cpus", machine["cpus"], 1, 100_000)
    return machine


def _object(path: str, value: Any, names: tuple[str, ...]) -> dict:
    if not isinstance(value, dict):
        _refuse(path, "an object", value)
    if missing := [name for name in names if name not in value]:
        raise ReportError(f"{path} must have {', '.join(names)}, got none of name {missing[0]}")
    return value


def _list(path: str, value: Any, most: int, fewest: int = 0) -> list:
    if not isinstance(value, list):
        _refuse(path, "a list", value)
    _number(f"the length of {path}", len(value), fewest, most)
    return value


def _number(path: str, value: Any, low: float, high: float, *, optional: bool = False):
    """Whole bounds admit whole numbers only. Infinity and NaN are in no range."""
    if optional and value is None:
        return None
    kinds = (int,) if isinstance(low, int) and isinstance(high, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if kinds == (int,) else "a number"
        null = " or null" if optional else ""
        ends = (f"{end:,}" if abs(end) < 1e12 else f"{end:g}" for end in (low, high))
        _refuse(path, f"{kind} from {' to '.join(ends)}{null}", value)
    return value


def _words(path: str, value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        _refuse(path, f"at most {most} printable characters", value)
    if MARKUP.search(value):
        _refuse(path, "words without any of [ ] < > ` $", value)
    return value


def _one_of(path: str, value: Any, allowed: list) -> None:
    # 1 == 1.0 == True in Python, not in a file.
    if not any(type(value) is type(each) and value == each for each in allowed):
        _refuse(path, f"one of {', '.join(map(repr, allowed))}", value)


def _refuse(path: str, allowed: str, value: Any) -> NoReturn:
    raise ReportError(f"{path} must be {allowed}, got {reprlib.repr(value)}")
