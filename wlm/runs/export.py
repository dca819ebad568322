"""A finished run as a summary, and as files: CSV, JSON, Markdown."""

import csv
import io
import json
import time

from wlm.errors import ReportError
from wlm.measuring.agreement import sentence as agreement_sentence
from wlm.measuring.tradeoff import best
from wlm.measuring.wording import how_sure, memory_sentences, read_as, sentence, size_unit
from wlm.quantization.variant import Variant
from wlm.runs.run import Run

FORMAT, VERSION = "wlm-run", 1


def summary(run: Run) -> dict:
    """Return a run's row in a list of runs: its id, its settings and the outcome of the
    variant with the best trade-off (None if nothing was measured). Times are seconds since 1970."""
    result = run.result or {}
    rows = result.get("results") or [{}]
    chosen = rows[best(rows)]
    machine = result.get("machine", {})
    protocol = result.get("protocol", {})
    return {
        "id": run.id,
        "created_at": run.created_at,
        "state": str(run.state),
        "origin": run.origin or "measured here",
        "model": run.spec.get("model"),
        "weights_sha256": protocol.get("weights_sha256"),
        "vocabulary_sha256": protocol.get("vocabulary_sha256"),
        "text": (protocol or run.spec).get("text"),
        "text_sha256": protocol.get("text_sha256"),
        "tokens": protocol.get("tokens"),
        "bptt": run.spec.get("bptt"),
        "batch_size": run.spec.get("batch_size"),
        "threads": run.spec.get("threads"),
        "variants": [Variant.parse(name).label for name in run.spec.get("variants", [])],
        "verdict": chosen.get("verdict"),
        "speedup": chosen.get("speedup"),
        "speedup_ci95": chosen.get("speedup_ci95"),
        "loss": chosen.get("loss"),
        "loss_known": chosen.get("loss_known"),
        "unknown": protocol.get("unknown"),
        "loss_delta": chosen.get("loss_delta"),
        "cpu": machine.get("cpu"),
        "cpus": machine.get("cpus"),
        "torch": machine.get("torch"),
    }


def to_csv(run: Run) -> str:
    """Return a run's blocks as CSV, one per row. Rounds and groups count from 1; runs of earlier
    versions have no groups. If memory was measured, each row has its variant's. Raises ReportError
    if nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    result = result_of(run)
    results = result["results"]
    sizes = ["added_bytes", "peak_bytes"] if _has_memory(results) else []
    heads = ["round", "variant", "label", "tokens", "wall_s", "cpu_s", "group"]
    writer.writerow([*heads, *(f"memory_{size}" for size in sizes)])
    counts = enumerate(result.get("groups") or [], start=1)
    groups = [group for group, rounds in counts for _ in range(rounds)] or [""] * result["rounds"]
    rounds = zip(*(variant["blocks"] for variant in results), strict=True)
    for i, (blocks, group) in enumerate(zip(rounds, groups, strict=True), start=1):
        for variant, block in zip(results, blocks, strict=True):
            measured = block["tokens"], block["wall_s"], block["cpu_s"]
            memory = [(variant.get("memory") or {}).get(size, "") for size in sizes]
            writer.writerow([i, variant["variant"], variant["label"], *measured, group, *memory])
    return text.getvalue()


def to_json(run: Run) -> str:
    """Return a run as a file that `from_json` reads. Raises ReportError while it is under way."""
    if not run.state.final:
        raise ReportError(f"a run must have ended to be exported, this one is {run.state}")
    names = ("id", "kind", "spec", "state", "created_at", "finished_at", "message", "result")
    content = {name: getattr(run, name) for name in names}
    return json.dumps({"format": FORMAT, "version": VERSION, "run": content}, indent=1)


def to_markdown(run: Run) -> str:
    """Return a run as a report to paste into an issue. Raises ReportError if nothing was
    measured."""
    result = result_of(run)
    heads, rows = table(result)
    lines = [
        *(f"**{said}**\n" for said in sentences(result)),
        *(
            "| " + " | ".join(row) + " |"
            for row in [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
        ),
        "",
        # As code: a name from elsewhere must not become a link or mention somebody.
        *(f"- {name}: `{value.replace('`', ' ')}`" for name, value in facts(run).items()),
        *(f"- warning: {warning}" for warning in result.get("warnings", [])),
    ]
    return "\n".join(lines) + "\n"


def sentences(result: dict) -> list[str]:
    """Return sentences on each variant from a comparison's JSON: the verdict and, if they were
    measured, the agreement with the baseline and the memory."""
    rows = result["results"]
    said = [sentence(result, i) for i in range(1, len(rows))] or [sentence(result)]
    said += [
        agreement_sentence(agreement, row["label"], row["loss_delta"])
        for row in rows
        if (agreement := row.get("agreement"))
    ]
    return said + memory_sentences(rows)


def table(result: dict) -> tuple[list[str], list[list[str]]]:
    """Return a comparison's JSON as a report's table: column titles, and one row per variant."""
    results = result["results"]
    unit, scale = size_unit(row["size_bytes"] for row in results)
    columns = {
        "variant": lambda row: row["label"],
        f"size, {unit}": lambda row: f"{row['size_bytes'] / scale:.1f}",
        "loss, nats": lambda row: f"{row['loss']:.4f}",
        "of known words": lambda row: f"{row['loss_known']:.4f}" if row.get("loss_known") else "–",
        "elapsed, s": lambda row: f"{row['elapsed_s']:.2f}",
        "CPU, s": lambda row: f"{row['cpu_s']:.2f}",
        "speed-up": lambda row: f"{row.get('speedup', 1.0):.2f}",
        "95% interval": _interval,
        "memory, MB": lambda row: _megabytes(row, "added_bytes"),
        "peak, MB": lambda row: _megabytes(row, "peak_bytes"),
    }
    if not read_as(result["protocol"]):  # all words are known: both losses are the same
        del columns["of known words"]
    if not _has_memory(results):
        del columns["memory, MB"], columns["peak, MB"]
    return list(columns), [[cell(row) for cell in columns.values()] for row in results]


def _interval(row: dict) -> str:
    ends = row.get("speedup_ci95")
    return "{:.2f} to {:.2f}".format(*ends) if ends else "–"


def _megabytes(row: dict, size: str) -> str:
    return f"{row['memory'][size] / 1e6:.0f}" if row.get("memory") else "–"


def _has_memory(results: list[dict]) -> bool:
    """Tell whether the memory of any variant was measured."""
    return any(row.get("memory") for row in results)


def facts(run: Run) -> dict[str, str]:
    """Return the facts of a report next to its numbers: model, text, protocol, machine, versions
    and the run itself."""
    result = result_of(run)
    protocol, machine = result["protocol"], result["machine"]
    weights = protocol.get("weights_sha256")
    return {
        "model": protocol["model"]
        + (f", weights with sha256 {weights}" if weights else "")
        + (f", read {read}" if (read := protocol.get("weights_read")) else ""),
        "text": ", ".join(
            filter(None, [protocol["text"], f"{protocol['tokens']:,} tokens", read_as(protocol)])
        ),
        "protocol": f"batch size {protocol['batch_size']}, chunks of {protocol['bptt']} tokens, "
        f"threads {protocol['threads']}, seed {protocol['seed']}, {how_sure(result)}",
        "machine": f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}",
        "versions": f"wlm {machine['wlm']}, torch {machine['torch']}, "
        f"engine {machine['quantized_engine']}, Python {machine['python']}",
        "run": f"{run.id}, {run.state}, {run.origin or 'measured'} {when(run)}",
    }


def when(run: Run) -> str:
    """Return the time at which a run was created, as `2026-03-01 09:30 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.created_at))


def result_of(run: Run) -> dict:
    """Return a run's result. Raises ReportError if nothing was measured."""
    if not run.result:
        raise ReportError(f"run {run.id!r} has measured nothing")
    return run.result
