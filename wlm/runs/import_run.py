"""Imports an exported run. The file may come from anyone.

A JSON schema checks the file. Only the settings, the machine, hashes, sizes, losses and blocks are
taken from it; the code that makes results computes everything else again.
"""

import itertools
import json
import math
import re
import reprlib
import time
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from wlm.errors import ReportError, WLMError, allowed_unless, shown
from wlm.measuring.agreement import BINS, STATISTICS
from wlm.measuring.comparison import CompareSpec, Comparison
from wlm.measuring.evaluate import Block
from wlm.measuring.spec import MAX_VARIANTS
from wlm.runs.export import FORMAT, VERSION
from wlm.runs.run import Run, State

MOST_BYTES = 5_000_000
MOST_ROUNDS = 25_000
MOST_SECONDS = 1e7
LATEST = 1e11  # seconds since 1970
CLOCKS_DIFFER = 86_400.0  # seconds
# Pages show imported text as Markdown. In Markdown these characters can draw images and links.
MARKUP = re.compile(r"[\[\]<>`$]")
# What `Comparison` cannot compute, since an export has no losses per block.
TAKEN = ("loss", "loss_known", "loss_delta_ci95", "context_switches")

_formats = FormatChecker(())
_formats.checks("plain")(
    lambda text: not isinstance(text, str) or (text.isprintable() and not MARKUP.search(text))
)


def _number(low: float, high: float) -> dict:
    kind = "integer" if isinstance(low, int) and isinstance(high, int) else "number"
    allowed = allowed_unless(None, low, high)
    return {"type": kind, "minimum": low, "maximum": high, "description": allowed}


def _words(most: int) -> dict:
    allowed = f"at most {most} printable characters without any of [ ] < > ` $"
    return {"type": "string", "maxLength": most, "format": "plain", "description": allowed}


def _list(items: dict, fewest: int, most: int) -> dict:
    allowed = f"a list of {fewest} to {most:,}" if fewest < most else f"a list of {most}"
    return {"type": "array", "minItems": fewest, "maxItems": most, "items": items} | {
        "description": allowed
    }


def _object(required: dict, optional: dict | None = None, **more) -> dict:
    schema = {"type": "object", "description": "an object", "required": list(required)}
    return schema | {"properties": required | (optional or {})} | more


def _one_of(*values: Any) -> dict:
    return {"enum": list(values), "description": f"one of {', '.join(map(repr, values))}"}


def _or_null(schema: dict) -> dict:
    kinds, allowed = [schema["type"], "null"], f"{schema['description']} or null"
    return schema | {"type": kinds, "description": allowed}


_SHA256 = {"type": "string", "pattern": r"^[0-9a-f]{64}\Z", "description": "64 hexadecimal digits"}
_FACT = _words(200) | _number(-1e18, 1e18) | {"type": ["string", "number", "null"]}
_FACT["description"] = f"a number, null or {_words(200)['description']}"
_FACTS = _FACT | _list(_FACT, 0, 100) | {"type": [*_FACT["type"], "array"]}
_FACTS["description"] = f"{_FACT['description']}, or a list of at most 100 of these"
_MACHINE = _object(
    {"cpus": _number(1, 100_000)}
    | {name: _words(200) for name in ("cpu", "os", "python", "torch", "wlm", "quantized_engine")},
    additionalProperties=_FACTS,
    maxProperties=50,
    propertyNames={
        "pattern": r"^[a-z][a-z0-9_]{0,39}\Z",
        "description": "an object with names of at most 40 lowercase letters, digits and _",
    },
    description="an object of at most 50 facts",
)
_SPEC = _object(
    {
        "variants": _list(_words(100), 1, MAX_VARIANTS),
        "model": _words(300),
        "text": _words(300),
        "threads": _number(1, 1024),  # another machine may have more CPUs than this one
    },
    {name: _or_null(_words(300)) for name in ("vocabulary", "corpus")}
    | {name: _one_of(True, False) for name in ("agreement", "memory")},
    additionalProperties={"type": ["number", "null"], "description": "a number or null"},
)
_UNKNOWN = {"tokens": _number(0, 10**9), "share": _number(0.0, 1.0)}
_UNKNOWN["line_ends"] = _one_of(True, False)
_RECOMPOSED = {"recomposed": _number(0, 10**9)}
_HASHES = ("weights_sha256", "vocabulary_sha256", "text_sha256")
_PROTOCOL = _object(
    {"text": _words(300), "tokens": _number(2, 10**9)},
    {name: _or_null(_SHA256) for name in _HASHES}
    | {
        "weights_read": _or_null(_words(500)),
        "tokens_left_out": _number(0, 255),
        "unknown": _or_null(_object(_UNKNOWN, _RECOMPOSED)),
    },
)
_SECONDS = {"wall_s": _number(1e-9, MOST_SECONDS), "cpu_s": _number(0.0, MOST_SECONDS)}
_BLOCK = _object({"tokens": _number(1, 10**9)} | _SECONDS)
_AGREEMENT = _object(
    {"tokens": _number(1, 10**9)}
    | {name: _number(-1e6, 1e6) for name in STATISTICS}
    | {"same_word": _number(0.0, 1.0)}
    | {f"{name}_ci95": _or_null(_list(_number(-1e6, 1e6), 2, 2)) for name in STATISTICS},
    {"kl_histogram": _list(_number(0, 10**9), BINS, BINS)},
)
_MEMORY = _object(
    {name: _number(0, 10**13) for name in ("added_bytes", "peak_bytes")}
    | {"measure": _one_of("USS", "RSS")}
)
_VARIANT = _object(
    {
        "size_bytes": _number(1, 10**13),
        "loss": _number(0.0, 500.0),
        "blocks": _list(_BLOCK, 1, MOST_ROUNDS),
        "loss_delta_ci95": _or_null(_list(_number(-1e6, 1e6), 2, 2)),
        "context_switches": _or_null(_number(0, 10**12)),
    },
    {
        "loss_known": _or_null(_number(0.0, 500.0)),
        "agreement": _or_null(_AGREEMENT),
        "memory": _or_null(_MEMORY),
    },
)
_RESULT = _object(
    {"machine": _MACHINE, "protocol": _PROTOCOL, "results": _list(_VARIANT, 1, MAX_VARIANTS)},
    {"groups": _or_null(_list(_number(1, MOST_ROUNDS), 1, MOST_ROUNDS))},
)
_RUN = _object(
    {
        "kind": _one_of(CompareSpec.kind),
        "spec": _SPEC,
        "state": _one_of(*(str(state) for state in State if state.final)),
        "created_at": _number(0.0, LATEST),
        "finished_at": _or_null(_number(0.0, LATEST)),
        "message": _words(1000),
        "result": _or_null(_RESULT),
    }
)
SCHEMA = _object({"format": _one_of(FORMAT), "version": _one_of(VERSION), "run": _RUN})

# JSON Schema accepts 2.0 as an integer. Pages would show it with a decimal point.
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
_validator = _Validator(SCHEMA, format_checker=_formats)


def from_json(text: str | bytes) -> Run:
    """Return the run that `to_json` wrote, with a new id and the origin `imported`.

    Raises ReportError with the field, the allowed values and the value received.
    """
    if len(text) > MOST_BYTES:
        raise ReportError(
            f"an exported run must be of at most {MOST_BYTES:,} bytes, got {len(text):,}"
        )
    try:
        # NaN and Infinity become text, so that the schema refuses them by name.
        content = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError) as error:
        reason = str(error) or "it is nested too deeply"
        raise ReportError(f"an exported run must be a JSON file: {reason}") from None
    if error := next(_validator.iter_errors(content), None):
        _refuse_invalid(error)
    run = content["run"]
    for name in ("created_at", "finished_at"):
        if (run[name] or 0.0) > time.time() + CLOCKS_DIFFER:
            _refuse(f"run.{name}", "a time that has passed", run[name])
    spec = _spec(run["spec"])
    return Run(
        kind=CompareSpec.kind,
        spec={**spec.to_json(), "threads": run["spec"]["threads"]},
        state=State(run["state"]),
        done=1.0,
        created_at=run["created_at"],
        finished_at=run["finished_at"],
        message=run["message"],
        result=run["result"] and _result(run["result"], spec, run["spec"]["threads"]),
        origin="imported",
    )


def _spec(content: dict) -> CompareSpec:
    """Return the settings, with one thread: this machine may have fewer CPUs."""
    try:
        return CompareSpec.from_json({**content, "threads": 1})
    except WLMError as error:
        raise ReportError(f"run.spec: {str(error)[:300]}") from None


def _result(given: dict, spec: CompareSpec, threads: int) -> dict:
    """Compute a comparison's JSON from its blocks."""
    variants, protocol = given["results"], given["protocol"]
    tokens = [block["tokens"] for block in variants[0]["blocks"]]
    _check_lists(given, len(spec.variants), tokens)
    totals = list(itertools.accumulate(tokens, initial=spec.batch_size))
    if protocol["tokens"] not in totals[1:]:
        allowed = "the batch size and the tokens of the first blocks together"
        _refuse("run.result.protocol.tokens", allowed, protocol["tokens"])
    unknown = protocol.get("unknown")
    computed = Comparison(
        spec,
        protocol["text"],
        sizes=[variant["size_bytes"] for variant in variants],
        rounds_per_pass=totals.index(protocol["tokens"]),
        blocks=[_blocks(variant) for variant in variants],
        groups=given.get("groups"),
        machine=given["machine"],
        unknown=unknown
        and {name: unknown[name] for name in (*_UNKNOWN, *_RECOMPOSED) if name in unknown},
        tokens_left_out=protocol.get("tokens_left_out", 0),
        **{name: protocol.get(name) for name in (*_HASHES, "weights_read")},
    ).to_json()
    computed["machine"] = {"load_1min_end": None, **given["machine"]}
    computed["protocol"]["threads"] = threads
    for result, variant in zip(computed["results"], variants, strict=True):
        result |= {name: variant.get(name) for name in TAKEN}
        # From the losses: those of the rebuilt blocks differ in the last digits.
        result["loss_delta"] = variant["loss"] - variants[0]["loss"]
        result["perplexity"] = math.exp(variant["loss"])
        if agreement := variant.get("agreement"):
            # The words of the text are left out: anyone may have written them.
            result["agreement"] = _known(_AGREEMENT, agreement) | {"furthest": []}
        if memory := variant.get("memory"):
            result["memory"] = _known(_MEMORY, memory)
    return computed


def _known(schema: dict, given: dict) -> dict:
    """Return the values of an object that its schema has checked."""
    return {name: given[name] for name in schema["properties"] if name in given}


def _blocks(variant: dict) -> list[Block]:
    return [
        Block(block["tokens"], variant["loss"] * block["tokens"], block["wall_s"], block["cpu_s"])
        for block in variant["blocks"]
    ]


def _check_lists(given: dict, variants: int, tokens: list[int]) -> None:
    """Check what a schema cannot: that the lists fit together."""
    path, groups = "run.result", given.get("groups")
    if len(given["results"]) != variants:
        _refuse(f"{path}.results", f"a list of {variants}, one per variant", given["results"])
    if groups is not None and sum(groups) != len(tokens):
        allowed = f"whole numbers that add up to {len(tokens)}, the rounds"
        _refuse(f"{path}.groups", allowed, groups)
    for i, variant in enumerate(given["results"]):
        found = [block["tokens"] for block in variant["blocks"]]
        if found != tokens:
            allowed = f"blocks with the baseline's tokens, {reprlib.repr(tokens)}"
            _refuse(f"{path}.results[{i}].blocks", allowed, found)
        ends = variant["loss_delta_ci95"]
        if ends and ends[0] > ends[1]:
            _refuse(f"{path}.results[{i}].loss_delta_ci95", "two numbers, the lower first", ends)


def _refuse_invalid(error: ValidationError) -> NoReturn:
    # The path names the file's own fields.
    path = shown(error.json_path, 60).removeprefix("$").removeprefix(".") or "the file"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        names = ", ".join(error.validator_value)
        raise ReportError(f"{path} must have {names}; {missing} is missing")
    _refuse(path, error.schema["description"], error.instance)


def _refuse(path: str, allowed: str, value: Any) -> NoReturn:
    raise ReportError(f"{path} must be {allowed}, got {shown(reprlib.repr(value), 40)}")
