"""A run read from a file that somebody exported, which comes from anyone.

It is checked field by field, nothing is taken that is not known, and what follows from the blocks
is computed again; a file that says otherwise is refused.
"""

import itertools
import json
import math
import re
import time
from typing import Any

from wlm.errors import ReportError, WLMError
from wlm.measuring.comparison import CompareSpec, Comparison
from wlm.measuring.evaluate import Block
from wlm.runs.export import FORMAT, VERSION
from wlm.runs.import_fields import (
    check_list,
    check_number,
    check_object,
    check_one_of,
    check_sha256,
    check_words,
    refuse,
)
from wlm.runs.run import Run, State

MOST_BYTES = 5_000_000
MOST_BLOCKS = 50_000  # over all variants
MOST_SECONDS = 1e7
MOST_LOSS = 500.0
MOST_THREADS = 1024  # another machine's, so this one's CPUs are no limit
AGREEMENT = 1e-6
FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


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
    top = check_object("the file", content, ("format", "version", "run"))
    check_one_of("format", top["format"], [FORMAT])
    check_one_of("version", top["version"], [VERSION])
    names = ("kind", "spec", "state", "created_at", "finished_at", "message", "result")
    run = check_object("run", top["run"], names)
    check_one_of("run.kind", run["kind"], ["compare"])
    check_one_of("run.state", run["state"], [str(state) for state in State if state.final])
    latest = time.time() + 86_400.0  # clocks differ
    spec = _spec(run["spec"])
    return Run(
        kind="compare",
        spec=spec,
        state=State(run["state"]),
        done=1.0,
        created_at=check_number("run.created_at", run["created_at"], 0.0, latest),
        finished_at=check_number("run.finished_at", run["finished_at"], 0.0, latest, optional=True),
        message=check_words("run.message", run["message"], 1000),
        result=None if run["result"] is None else _result(run["result"], spec),
        origin="imported",
    )


def _spec(content: Any) -> dict:
    """Check the settings; the threads may be more than this machine has CPUs."""
    path = "run.spec"
    spec = check_object(path, content, ("variants", "model", "text", "threads"))
    for i, name in enumerate(check_list(f"{path}.variants", spec["variants"], 8)):
        check_words(f"{path}.variants[{i}]", name, 100)
    for name in ("model", "text"):
        check_words(f"{path}.{name}", spec[name], 300)
    for name in ("vocabulary", "corpus"):
        if spec.get(name) is not None:
            check_words(f"{path}.{name}", spec[name], 300)
    threads = check_number(f"{path}.threads", spec["threads"], 1, MOST_THREADS)
    try:
        return {**CompareSpec.from_json({**spec, "threads": 1}).to_json(), "threads": threads}
    except WLMError as error:
        raise ReportError(f"{path}: {str(error)[:300]}") from None
    except RecursionError:  # a setting nested as deeply as JSON may be is repeated in words
        refuse(path, "a comparison's settings", spec)


def _result(content: Any, spec: dict) -> dict:
    """Check what was measured, and work it out again from its blocks."""
    path = "run.result"
    result = check_object(path, content, ("machine", "protocol", "results"))
    protocol = check_object(f"{path}.protocol", result["protocol"], ("text", "tokens"))
    text = check_words(f"{path}.protocol.text", protocol["text"], 300)
    tokens = check_number(f"{path}.protocol.tokens", protocol["tokens"], 2, 10**9)
    asked = CompareSpec.from_json({**spec, "threads": 1})
    given = check_list(
        f"{path}.results", result["results"], len(asked.variants), len(asked.variants)
    )
    names = ("size_bytes", "loss", "blocks", "loss_delta_ci95", "context_switches")
    given = [check_object(f"{path}.results[{i}]", each, names) for i, each in enumerate(given)]
    blocks = _blocks(path, given)
    first_pass = _first_pass(f"{path}.protocol.tokens", blocks[0], tokens, asked.batch_size)
    comparison = Comparison(
        asked,
        text,
        sizes=[
            check_number(f"{path}.results[{i}].size_bytes", each["size_bytes"], 1, 10**13)
            for i, each in enumerate(given)
        ],
        rounds_per_pass=first_pass,
        blocks=blocks,
        groups=_groups(f"{path}.groups", result.get("groups"), len(blocks[0])),
        machine=_machine(f"{path}.machine", result["machine"]),
        # Runs of earlier versions lack it.
        weights_sha256=check_sha256(
            f"{path}.protocol.weights_sha256", protocol.get("weights_sha256")
        ),
        weights_read=_weights_read(f"{path}.protocol.weights_read", protocol.get("weights_read")),
        unknown=_unknown(f"{path}.protocol.unknown", protocol.get("unknown")),
        **{
            name: check_sha256(f"{path}.protocol.{name}", protocol.get(name))
            for name in ("vocabulary_sha256", "text_sha256")
        },
        tokens_left_out=check_number(
            f"{path}.protocol.tokens_left_out", protocol.get("tokens_left_out", 0), 0, 255
        ),
    )
    ours = comparison.to_json()
    ours["machine"]["load_1min_end"] = comparison.machine.get("load_1min_end")
    ours["protocol"]["threads"] = spec["threads"]
    for i, (said, found) in enumerate(zip(given, ours["results"], strict=True)):
        _agree(f"{path}.results[{i}]", said, found)
    return ours


def _groups(path: str, stated: Any, rounds: int) -> list[int] | None:
    """Check how many rounds each group has; runs of earlier versions have none."""
    if stated is None:
        return None
    groups = check_list(path, stated, rounds, 1)
    for i, count in enumerate(groups):
        check_number(f"{path}[{i}]", count, 1, rounds)
    if sum(groups) != rounds:
        refuse(path, f"whole numbers that add up to {rounds}, the rounds", groups)
    return groups


def _weights_read(path: str, said: Any) -> str | None:
    return None if said is None else check_words(path, said, 500)


def _unknown(path: str, said: Any) -> dict | None:
    """Check how many words were unknown; runs of earlier versions do not tell."""
    if said is None:
        return None
    said = check_object(path, said, ("tokens", "share", "line_ends"))
    check_one_of(f"{path}.line_ends", said["line_ends"], [True, False])
    return {
        "tokens": check_number(f"{path}.tokens", said["tokens"], 0, 10**9),
        "share": check_number(f"{path}.share", said["share"], 0.0, 1.0),
        "line_ends": said["line_ends"],
    }


def _blocks(path: str, given: list[dict]) -> list[list[Block]]:
    """Check every variant's blocks: as many, and of the same tokens, as the baseline's."""
    most = MOST_BLOCKS // len(given)
    blocks: list[list[Block]] = []
    for i, each in enumerate(given):
        here = f"{path}.results[{i}]"
        loss = check_number(f"{here}.loss", each["loss"], 0.0, MOST_LOSS)
        rounds = (len(blocks[0]), len(blocks[0])) if blocks else (most, 1)
        checked = []
        for j, block in enumerate(check_list(f"{here}.blocks", each["blocks"], *rounds)):
            at = f"{here}.blocks[{j}]"
            block = check_object(at, block, ("tokens", "wall_s", "cpu_s"))
            tokens = check_number(f"{at}.tokens", block["tokens"], 1, 10**9)
            if blocks and tokens != blocks[0][j].tokens:
                refuse(f"{at}.tokens", f"{blocks[0][j].tokens}, the baseline's", tokens)
            wall_s = check_number(f"{at}.wall_s", block["wall_s"], 1e-9, MOST_SECONDS)
            cpu_s = check_number(f"{at}.cpu_s", block["cpu_s"], 0.0, MOST_SECONDS)
            # How a pass's loss falls on its blocks is not exported; only the sum counts below.
            checked.append(Block(tokens, loss * tokens, wall_s, cpu_s))
        blocks.append(checked)
    return blocks


def _first_pass(path: str, blocks: list[Block], tokens: int, batch_size: int) -> int:
    """Return how many blocks read that many tokens: later ones read the text again."""
    totals = list(itertools.accumulate((block.tokens for block in blocks), initial=batch_size))
    if tokens not in totals[1:]:
        refuse(path, "batch_size and the first blocks' tokens together", tokens)
    return totals.index(tokens)


def _agree(path: str, said: dict, found: dict) -> None:
    """Refuse a result whose numbers are not those of its blocks; take from it what only it knows:
    the loss difference's interval and the context switches."""
    for name in ("elapsed_s", "cpu_s", "tokens_per_s", "perplexity", "speedup", "loss_delta"):
        value = check_number(f"{path}.{name}", said.get(name), -1e300, 1e300)
        if not math.isclose(value, found[name], rel_tol=AGREEMENT, abs_tol=1e-9):
            refuse(f"{path}.{name}", f"{found[name]:.9g}, as loss and blocks have it", value)
        found[name] = value
    found["loss"] = said["loss"]
    known = said.get("loss_known")  # runs of earlier versions lack it
    found["loss_known"] = check_number(f"{path}.loss_known", known, 0.0, MOST_LOSS, optional=True)
    for name in ("variant", "label"):
        check_one_of(f"{path}.{name}", said.get(name), [found[name]])
    if (ends := said["loss_delta_ci95"]) is not None:
        here = f"{path}.loss_delta_ci95"
        low, high = (
            check_number(f"{here}[{j}]", end, -1e6, 1e6)
            for j, end in enumerate(check_list(here, ends, 2, 2))
        )
        if low > high:
            refuse(here, "two numbers, the lower first", ends)
    found["loss_delta_ci95"] = ends
    here, switches = f"{path}.context_switches", said["context_switches"]
    found["context_switches"] = check_number(here, switches, 0, 10**12, optional=True)


def _machine(path: str, content: Any) -> dict:
    """Check a machine's facts: a few that pages name, and any others that are plain and short."""
    machine = check_object(path, content, ("cpu", "cpus", "os", "python", "torch", "wlm"))
    check_number(f"the length of {path}", len(machine), 0, 50)
    for name, value in machine.items():
        if not FACT_NAME.fullmatch(name):
            refuse(f"each name in {path}", "of at most 40 small letters, digits and _", name)
        for each in (
            check_list(f"{path}.{name}", value, 100) if isinstance(value, list) else [value]
        ):
            if isinstance(each, str):
                check_words(f"{path}.{name}", each, 200)
            elif each is not None:
                check_number(f"{path}.{name}", each, -1e18, 1e18)
    for name in ("cpu", "os", "python", "torch", "wlm", "quantized_engine"):
        check_words(f"{path}.{name}", machine.get(name), 200)
    check_number(f"{path}.cpus", machine["cpus"], 1, 100_000)
    return machine
