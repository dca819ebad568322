"""Printing for all commands; no other module of wlm prints."""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence

from wlm.cli.streams import ENCODING_ERRORS, close, unwritten
from wlm.measuring.wording import how_sure, memory_sentences, read_as, size_unit


def say(text: str = "", **options) -> None:
    """Print a text, as `print` does. Raises WLMError if standard output cannot be written."""
    try:
        print(text, **options)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritten(error) from None


def answer(options: Namespace, content, show: Callable[[], None]) -> None:
    """Print a command's answer: as JSON if the options ask for it, else as `show` does."""
    if options.json:
        print_json(content)
    else:
        show()


def print_json(content) -> None:
    """Print plain JSON."""
    say(json.dumps(content, indent=2))


def print_file(text: str) -> None:
    """Print the content of a file. A redirected standard output gets UTF-8, because files are in
    UTF-8 as the HTML declares; a terminal gets its own encoding."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure and not sys.stdout.isatty():
        reconfigure(encoding="utf-8", errors=ENCODING_ERRORS)
    say(text, end="")


def note(text: str) -> None:
    """Print a message on standard error; the answer goes to standard output."""
    print_aside(f"wlm: {text}")


def print_aside(text: str) -> None:
    """Print a line on standard error. If that fails, the command goes on without it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        close(sys.stderr)


def print_results(content: dict, run_id: str = "") -> None:
    """Print a comparison's JSON: a line per variant, warnings, the settings, the machine, and the
    id of the run if it is kept."""
    protocol = content["protocol"]
    some_unknown = bool(read_as(protocol))  # else both losses are one
    several = len(content["results"]) > 1
    unit, scale = size_unit(result["size_bytes"] for result in content["results"])
    rows = [
        {
            "variant": result["label"],
            unit: f"{result['size_bytes'] / scale:.1f}",
            "loss (nats)": f"{result['loss']:.4f}",
            **({"of known words": _known(result)} if some_unknown else {}),
            "perplexity": f"{result['perplexity']:.1f}",
            "elapsed (s)": f"{result['elapsed_s']:.2f}",
            "CPU (s)": f"{result['cpu_s']:.2f}",
            "tokens/s": f"{result['tokens_per_s']:,.0f}",
            **({"speed-up": _speedup(result), "verdict": result["verdict"]} if several else {}),
        }
        for result in content["results"]
    ]
    print_table(rows)
    _print_agreements(content["results"])
    for sentence in memory_sentences(content["results"]):
        say(f"\n{sentence}")
    for warning in content["warnings"]:
        say(f"\nwarning: {warning}")
    text = ", ".join(filter(None, [protocol["text"], read_as(protocol)]))
    say(
        f"\n{protocol['tokens']:,} tokens of {text}, batch size "
        f"{protocol['batch_size']}, chunks of {protocol['bptt']}, threads {protocol['threads']}; "
        f"{how_sure(content)}; "
        f"{content['machine']['cpu']}, torch {content['machine']['torch']}"
    )
    _print_kept(run_id)


def _print_agreements(results: list[dict]) -> None:
    """Print how often and how closely each variant predicts the same word as the baseline."""
    found = [result for result in results if result.get("agreement")]
    if not found:
        return
    say()
    print_table(
        [
            {
                "agreement": result["label"],
                "same word": f"{agreement['same_word']:.2%}",
                "KL mean": f"{agreement['kl_mean']:.5f}",
                "median": f"{agreement['kl_median']:.5f}",
                "99%": f"{agreement['kl_p99']:.5f}",
                "probability RMS": f"{agreement['probability_rms']:.4f}",
            }
            for result in found
            if (agreement := result["agreement"])
        ]
    )


def _print_kept(run_id: str) -> None:
    if run_id:
        say(f"kept as run {run_id}")


def _known(result: dict) -> str:
    """Return the loss over known words."""
    return "–" if result["loss_known"] is None else f"{result['loss_known']:.4f}"


def print_runs(rows: list[dict]) -> None:
    """Print a line per run."""
    if not rows:
        say("no runs are kept yet")
        return
    print_table(
        [
            {
                "id": row["id"],
                "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["created_at"])),
                **{name: row[name] for name in ("state", "model", "text")},
                "variants": ", ".join(row["variants"]),
                "speed-up": _speedup(row) if row["speedup"] else "–",
            }
            for row in rows
        ]
    )


def print_sweep(content: dict) -> None:
    """Print a sweep's JSON: a line per point and variant, a summary, and warnings."""
    from wlm.measuring.sweep import curves, outcomes, sentence, thread_costs, warnings

    over = content["over"]
    rows = [
        {
            over: str(row["value"]),
            "variant": row["label"],
            "tokens/s": f"{row['tokens_per_s']:,.0f}",
            "speed-up": _speedup({**row, "speedup_ci95": row["low"] and (row["low"], row["high"])}),
            "verdict": row["verdict"],
        }
        for row in curves(content)
    ]
    print_table(rows)
    say()
    for outcome in outcomes(content):
        say(sentence(over, outcome))
    for cost in thread_costs(content):
        say(cost)
    for warning in warnings(content):
        say(f"\nwarning: {warning}")


def print_reproduction(content: dict, run_id: str) -> None:
    """Print published and measured numbers, the source of the weights, the first words of the
    sample, and the id of the run if it is kept."""
    tick = {True: "✓", False: "✗", None: "–"}
    rows = content["table"]
    width = max(len(row["reason"]) for row in rows)
    cells = [
        {
            "": row["quantity"],
            "published": f"{row['published']:.3f}",
            "here": f"{row['here']:.3f}",
            " ": tick[row["agree"]],  # no title, as the column after it
            "  ": row["reason"].ljust(width),
        }
        for row in rows
    ]
    protocol = content["comparison"]["protocol"]
    say(f"model: {protocol['model']}, {content['weights']}; text: {protocol['text']}\n")
    print_table(cells)
    for warning in content["comparison"]["warnings"]:
        say(f"\nwarning: {warning}")
    words = content["words"]
    say(f"\n{len(words):,} words by fp32, {content['words_per_s']:,.0f} words/s, beginning:")
    say(" ".join(words[:20]))
    _print_kept(run_id)


def print_finding(finding) -> None:
    """Print the result of a check, and what to do if the check failed."""
    say(f"{'✓' if finding.well else '✗'} {finding.subject}: {finding.found}", flush=True)
    if not finding.well:
        say(f"  → {finding.todo}", flush=True)


def print_info(content: dict) -> None:
    """Print versions, the machine, the models and the texts, one per line."""
    facts = {"wlm": content["version"], **content["machine"]}
    for key, value in facts.items():
        say(f"{key:18}{', '.join(value) if isinstance(value, list) else value}")
    for what in ("models", "texts"):
        for name, path in content[what].items():
            say(f"{what[:-1]:18}{name}: {path}")


def print_inspection(content: dict) -> None:
    """Print an inspection's JSON: bytes and errors, times, and the machine's ceilings."""
    from wlm.inspecting.summary import ceilings, parts_table, times_table

    print_table(parts_table(content))
    say()
    print_table(times_table(content))
    for warning in content["warnings"]:
        say(f"\nwarning: {warning}")
    machine, threads = content["machine"], content["protocol"]["threads"]
    say(f"\n{ceilings(content)}; threads {threads}; {machine['cpu']}, torch {machine['torch']}")


def _speedup(result: dict) -> str:
    """Return a speed-up with its 95% interval, if there is one."""
    ends = result["speedup_ci95"]
    return f"{result['speedup']:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


def print_table(rows: list[dict[str, str]]) -> None:
    """Print cells by their column's title: the first column aligned left, the others right."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        cells = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)]
        say("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())


def print_stream(stream, prompt: Sequence[str]) -> None:
    """Print words when they are sampled."""
    from wlm.text.wikitext import Typesetter

    typesetter = Typesetter()
    for word in prompt:
        say(typesetter.add(word), end="")
    try:
        for draw in stream:
            say(typesetter.add(draw.word), end="", flush=True)
    finally:
        say(flush=True)  # also if Ctrl-C ends it


def print_columns(variants, streams, prompt: Sequence[str]) -> None:
    """Print texts side by side; arrows mark the first word that differs."""
    from shutil import get_terminal_size

    from wlm.cli.columns import side_by_side

    width = get_terminal_size((100, 24)).columns
    for row in side_by_side([variant.label for variant in variants], streams, prompt, width):
        say(row, flush=True)


def curve_line(point: dict) -> str:
    """Return a point of a training's curve in words."""
    losses = f"train loss {point['train_loss']:.3f}, valid loss {point['valid_loss']:.3f}"
    return f"phase {point['phase']}, epoch {point['epoch']:.2f}: {losses}"
