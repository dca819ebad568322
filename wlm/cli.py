"""`python -m wlm`: parse, call, print. The only module that prints."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from wlm import __version__
from wlm.arguments import make_parser
from wlm.assets import list_models, list_texts
from wlm.errors import WLMError, check_range


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 bad input, 130 stopped by Ctrl-C."""
    options = make_parser(COMMANDS).parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except WLMError as error:
        print(f"wlm: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("wlm: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def size(options: argparse.Namespace) -> None:
    """Print the bytes of each variant's saved file."""
    from wlm.prepare import prepare
    from wlm.variant import Variant

    variants = [Variant.parse(name) for name in options.variants]
    model = _checkpoint(options).model
    rows = [
        {"variant": str(each), "label": each.label, "bytes": prepare(model, each).saved_bytes}
        for each in variants
    ]
    table = [[row["label"], f"{row['bytes']:,}", f"{row['bytes'] / 1e6:.1f}"] for row in rows]
    _print(options, rows, lambda: _print_table(["variant", "bytes", "MB"], table))


def evaluate(options: argparse.Namespace) -> None:
    """Print the loss of one variant over a text."""
    if len(options.variants) != 1:
        raise WLMError(
            f"evaluate takes one variant, got {len(options.variants)}: compare takes several"
        )
    _, content, _ = _compare(options)
    _print(options, content["results"][0], lambda: _print_results(content))


def compare(options: argparse.Namespace) -> None:
    """Print size, loss and elapsed time of several variants over the same text, in turn."""
    from wlm.runs import RunStore, State, finished_run

    started = time.time()
    spec, content, stopped = _compare(options)
    run = finished_run(spec, content, started, State.STOPPED if stopped else State.DONE)
    store = RunStore()
    store.create(run)

    def show() -> None:
        _print_results(content)
        if not store.warning:
            print(f"kept as run {run.id}")

    _print(options, content, show)
    if store.warning:
        print(f"wlm: warning: {store.warning}", file=sys.stderr)


def runs(options: argparse.Namespace) -> None:
    """List, show, export, import or delete the runs that are kept."""
    from wlm.compare import CompareSpec
    from wlm.report import from_json, summary, to_csv, to_json, to_markdown
    from wlm.runs import RunStore

    store = RunStore()
    if store.warning:
        raise WLMError(store.warning)
    if options.action == "list":
        check_range("--most", options.most, 1, 10_000)
        kept = [store.get(run.id) for run in store.list_runs(CompareSpec.kind, options.most)]
        rows = [summary(run) for run in kept]
        _print(options, rows, lambda: _print_runs(rows))
    elif options.action == "show":
        run = store.get(options.id)
        content = json.loads(to_json(run))["run"]
        _print(options, content, lambda: print(to_markdown(run) if run.result else run.message))
    elif options.action == "export":
        write = {"json": to_json, "csv": to_csv, "markdown": to_markdown}[options.format]
        print(write(store.get(options.id)), end="")
    elif options.action == "import":
        run = from_json(_read_bytes(options.file))
        store.add_imported(run)
        _print(options, summary(run), lambda: print(f"kept as run {run.id}"))
    else:
        store.delete(options.id, visitor=None)
        _print(options, {"deleted": options.id}, lambda: print(f"deleted run {options.id}"))


def inspect(options: argparse.Namespace) -> None:
    """Print where each variant's bytes, time and error are, module by module."""
    from wlm.inspection import add_bytes_and_errors
    from wlm.module_times import InspectSpec
    from wlm.module_times import inspect as measure

    spec = _settings(InspectSpec, options)
    measured, _ = _measure(measure, spec)
    content = add_bytes_and_errors(measured.to_json(), spec)
    _print(options, content, lambda: _print_inspection(content))


def sweep(options: argparse.Namespace) -> None:
    """Print how much faster each variant is at several values of one knob."""
    from wlm.compare import CompareSpec, compare
    from wlm.sweep import KNOBS, SweepSpec, curves, outcomes, parse_over, sentence, to_json

    over, values = parse_over(options.over)
    # The knob's own option, such as --bptt, has nothing to say.
    spec = SweepSpec(over, values, _settings(CompareSpec, options))
    unit, results = KNOBS[over].unit, []
    for i, (value, point) in enumerate(zip(spec.values, spec.points(), strict=True), start=1):
        name = f"{unit.format(value)} ({i} of {len(spec.values)})"
        later = None if spec.base.seconds is None else len(spec.values) - i
        try:
            measured, stopped = _measure(compare, point, name, later)
        except KeyboardInterrupt:
            if not results:
                raise
            print("wlm: stopped early; this is what was measured", file=sys.stderr)
            break
        results.append(measured.to_json())
        if stopped:
            break
    results += [None] * (len(spec.values) - len(results))
    content = to_json(spec, results)
    heads = [over, "variant", "tokens/s", "times as fast"]

    def show() -> None:
        rows = [
            [str(each["value"]), each["label"], f"{each['tokens_per_s']:,.0f}", _times(each)]
            for each in curves(content)
        ]
        _print_table(heads, rows)
        print()
        for outcome in outcomes(content):
            print(sentence(over, outcome))
        for point in content["points"]:
            for warning in point["warnings"]:
                print(f"\nwarning: {unit.format(point['value'])}: {warning}")

    _print(options, content, show)


def sample(options: argparse.Namespace) -> None:
    """Print text drawn from one variant, or from fp32 and one beside it."""
    from wlm.prepare import prepare
    from wlm.sample import SampleSettings, sample_words
    from wlm.variant import Variant
    from wlm.wikitext import tokenize

    settings = SampleSettings(
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        prompt=tuple(tokenize(options.prompt)) if options.prompt.strip() else (),
        seed=options.seed,
        allow_unk=not options.no_unk,
        allow_eos=not options.no_eos,
        stop_at_article=options.stop_at_article,
        draw=options.draw,
    )
    chosen = Variant.parse(options.variant or ("int8" if options.compare else "fp32"))
    variants = [Variant(), chosen] if options.compare else [chosen]
    checkpoint = _checkpoint(options)
    _note_unknown(settings.prompt, checkpoint.vocabulary)
    streams = [
        sample_words(
            prepare(checkpoint.model, each), checkpoint.vocabulary, settings, options.words
        )
        for each in variants
    ]
    texts = [[] for _ in streams]
    if options.json:
        for stream, text in zip(streams, texts, strict=True):
            text += _with_bar(stream, options.words, "word")
        contents = [
            {
                "variant": str(variant),
                "label": variant.label,
                "temperature": settings.temperature,
                "seed": settings.seed,
                "words": [each.word for each in text],
                "words_per_s": len(text) / sum(each.seconds for each in text),
            }
            for variant, text in zip(variants, texts, strict=True)
        ]
        print(json.dumps(contents if options.compare else contents[0], indent=2))
    elif options.compare:
        _print_columns(variants, streams, settings.prompt)
    else:
        _print_stream(streams[0], settings.prompt)


def _note_unknown(prompt: Sequence[str], vocabulary) -> None:
    from wlm.wikitext import nearest_words

    for word in dict.fromkeys(prompt):
        if word not in vocabulary:
            near = ", ".join(nearest_words(word, vocabulary)) or "none"
            print(f"wlm: {word!r} is read as <unk>; near it: {near}", file=sys.stderr)


def _print_stream(stream, prompt: Sequence[str]) -> None:
    """Print words as they are drawn."""
    from wlm.wikitext import Typesetter

    typesetter = Typesetter()
    for word in prompt:
        print(typesetter.add(word), end="")
    try:
        for each in stream:
            print(typesetter.add(each.word), end="", flush=True)
    finally:
        print(flush=True)  # also where Ctrl-C ends it


def _print_columns(variants, streams, prompt: Sequence[str]) -> None:
    """Print texts side by side, row by row, the first word that differs between arrows."""
    from shutil import get_terminal_size

    from wlm.columns import side_by_side

    width = get_terminal_size((100, 24)).columns
    for row in side_by_side([each.label for each in variants], streams, prompt, width):
        print(row, flush=True)


def fetch(options: argparse.Namespace) -> None:
    """Fetch WikiText-2 or the tutorial's own weights, verified; they join every list."""
    from tqdm import tqdm

    from wlm.fetch import fetch as get

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    hidden = not sys.stderr.isatty()
    with tqdm(total=1.0, disable=hidden, leave=False, bar_format=layout) as bar:

        def show(progress) -> None:
            bar.set_description(progress.stage, refresh=False)
            bar.update(progress.done - bar.n)

        folder = get(options.what, options.source, options.to, show)
    files = {each.name: each.stat().st_size for each in sorted(folder.iterdir())}
    content = {"what": options.what, "folder": str(folder), "files": files}
    megabytes = sum(files.values()) / 1e6
    _print(options, content, lambda: print(f"{options.what}: {folder}, {megabytes:.1f} MB"))


def reproduce(options: argparse.Namespace) -> None:
    """Run the tutorial from start to end; print its table beside the published one."""
    from wlm.assets import find_model
    from wlm.checkpoint import load_checkpoint
    from wlm.compare import compare
    from wlm.evaluate import thread_count
    from wlm.reproduce import table, to_json, tutorial_settings
    from wlm.sample import MAX_WORDS, SampleSettings, sample_words, to_out_txt

    spec = tutorial_settings(options.model, options.text, options.tokens)
    check_range("--words", options.words, 1, MAX_WORDS)
    checkpoint = load_checkpoint(find_model(spec.model))
    # Section 3, then 4: the tutorial's generator and seed, then sizes, losses and times.
    settings = SampleSettings(seed=1111)
    stream = sample_words(checkpoint.model, checkpoint.vocabulary, settings, options.words)
    with thread_count(spec.threads):
        written = list(_with_bar(stream, options.words, "word"))
    words = [each.word for each in written]
    words_per_s = len(words) / sum(each.seconds for each in written)
    if options.out:
        try:
            Path(options.out).write_text(to_out_txt(words), "utf-8")
        except OSError as error:
            message = f"the file {options.out!r} cannot be written: {error.strerror}"
            raise WLMError(message) from None
    measured, stopped = _measure(compare, spec)
    content = measured.to_json()
    rows = table(content, stopped)

    def show() -> None:
        tick = {True: "✓", False: "✗", None: "–"}
        heads, width = ["", "published", "here", "", ""], max(len(row.reason) for row in rows)
        cells = [
            [
                row.quantity,
                f"{row.published:.3f}",
                f"{row.here:.3f}",
                tick[row.agree],
                row.reason.ljust(width),
            ]
            for row in rows
        ]
        print(f"model: {spec.model}\n")
        _print_table(heads, cells)
        for warning in content["warnings"]:
            print(f"\nwarning: {warning}")
        print(f"\n{len(words):,} words by fp32, {words_per_s:,.0f} words/s, beginning:")
        print(" ".join(words[:20]))

    _print(options, to_json(content, rows, words, words_per_s), show)


def train(options: argparse.Namespace) -> None:
    """Train a model from scratch on a folder of text; Ctrl-C saves and stops."""
    import signal

    from tqdm import tqdm

    from wlm.checkpoint import checked_card
    from wlm.recipe import PRESETS, Recipe
    from wlm.train import train as steps
    from wlm.training_state import STATE

    names = {each.name for each in fields(Recipe)}
    chosen = {key: each for key, each in vars(options).items() if key in names}
    recipe = PRESETS[options.preset].changed(chosen)
    if options.resume and (given := [key for key, each in chosen.items() if each is not None]):
        raise WLMError(f"--resume keeps the settings it began with, got {', '.join(given)}")
    asked = []  # by Ctrl-C
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{postfix}"
    hidden, shown = not sys.stderr.isatty(), 0
    try:
        with tqdm(total=1.0, disable=hidden, leave=False, bar_format=layout) as bar:
            job = steps(
                options.corpus, options.out, recipe, resume=options.resume, stopped=lambda: asked
            )
            for progress in job:
                if shown == 0 and options.resume:
                    shown = len(progress.curve)
                for point in progress.curve[shown:]:
                    tqdm.write(_curve_line(point), file=sys.stderr)
                shown = len(progress.curve)
                if progress.seconds_left is not None:
                    minutes, seconds = divmod(round(progress.seconds_left), 60)
                    bar.set_postfix_str(f"{minutes}:{seconds:02} left", refresh=False)
                bar.set_description(progress.stage, refresh=False)
                bar.update(progress.done - bar.n)
    finally:
        signal.signal(signal.SIGINT, before)
    if (Path(options.out) / STATE).exists():
        where = f"--corpus {options.corpus} --out {options.out}"
        print(f"wlm: saved; to go on: python -m wlm train {where} --resume", file=sys.stderr)
        raise KeyboardInterrupt
    card = checked_card(options.out)
    losses = f"valid loss {card['valid_loss']:.4f}, test loss {card['test_loss']['fp32']:.4f}"
    _print(options, card, lambda: print(f"{options.out}: {losses}"))


def _curve_line(point: dict) -> str:
    losses = f"train loss {point['train_loss']:.3f}, valid loss {point['valid_loss']:.3f}"
    return f"phase {point['phase']}, epoch {point['epoch']:.2f}: {losses}"


def info(options: argparse.Namespace) -> None:
    """Print versions, the machine, and the models and texts that have names."""
    from wlm.machine import describe_machine

    content = {
        "version": __version__,
        "machine": describe_machine(),
        "models": {name: str(path) for name, path in list_models().items()},
        "texts": {name: str(path) for name, path in list_texts().items()},
    }

    def show() -> None:
        facts = {"wlm": __version__, **content["machine"]}
        for key, value in facts.items():
            print(f"{key:18}{', '.join(value) if isinstance(value, list) else value}")
        for what in ("models", "texts"):
            for name, path in content[what].items():
                print(f"{what[:-1]:18}{name}: {path}")

    _print(options, content, show)


def worker(options: argparse.Namespace) -> None:
    """Do the runs whose ids come in on standard input (the server starts this)."""
    from wlm.jobs import work

    work(sys.stdin)


COMMANDS = {
    each.__name__: each
    for each in (
        compare,
        sweep,
        evaluate,
        size,
        inspect,
        sample,
        runs,
        fetch,
        reproduce,
        train,
        info,
        worker,
    )
}


def _checkpoint(options: argparse.Namespace):
    from wlm.assets import find_model
    from wlm.checkpoint import load_checkpoint

    path = find_model(options.model)
    return load_checkpoint(path, vocabulary=options.vocabulary, corpus=options.corpus)


def _read_bytes(path: str) -> bytes:
    """A file's content, or standard input's for `-`; a byte too many tells one that is too long."""
    from wlm.report import MOST_BYTES

    try:
        if path == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WLMError(f"the file {path!r} cannot be read: {error.strerror}") from None


def _compare(options: argparse.Namespace) -> tuple:
    """Run a comparison; return its settings, its JSON, and whether it was stopped."""
    from wlm.compare import CompareSpec, compare

    spec = _settings(CompareSpec, options)
    measured, stopped = _measure(compare, spec)
    return spec, measured.to_json(), stopped


def _settings(settings_class, options: argparse.Namespace):
    """Make a job's settings of the options, which have the same names."""
    return settings_class.from_json(
        {each.name: getattr(options, each.name) for each in fields(settings_class)}
    )


def _measure(job, spec, name: str = "", later: int | None = None) -> tuple:
    """Do a job behind a progress bar; return what it measured, and whether Ctrl-C ended it.

    `later` is how many such jobs follow: with it the bar tells the seconds of them all.
    """
    from tqdm import tqdm

    from wlm.machine import pinned
    from wlm.sweep import PREPARATION_SECONDS

    measured = None
    remaining = "{remaining}" if later is None else "{postfix}"
    layout = f"{{desc}}: {{percentage:3.0f}}%|{{bar}}| {{elapsed}}<{remaining}"
    hidden = not sys.stderr.isatty()
    with (
        tqdm(total=1.0, disable=hidden, leave=False, bar_format=layout) as bar,
        pinned(spec.threads),
    ):
        try:
            for progress in job(spec):
                bar.set_description(": ".join(filter(None, [name, progress.stage])), refresh=False)
                if later is not None:
                    left = spec.seconds if progress.seconds_left is None else progress.seconds_left
                    left += later * (spec.seconds + PREPARATION_SECONDS)
                    bar.set_postfix_str(f"at most {left:.0f} s left", refresh=False)
                bar.update(progress.done - bar.n)
                bar.refresh()
                measured = progress.measured
        except KeyboardInterrupt:
            if measured is None:
                raise
            print("wlm: stopped early; this is what was measured", file=sys.stderr)
            return measured, True
    return measured, False


def _with_bar(items, total: int, unit: str):
    from tqdm import tqdm

    return tqdm(items, total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)


def _print(options: argparse.Namespace, content, show) -> None:
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        show()


def _print_results(content: dict) -> None:
    protocol = content["protocol"]
    rows = [
        [
            each["label"],
            f"{each['size_bytes'] / 1e6:.1f}",
            f"{each['loss']:.4f}",
            f"{each['perplexity']:.1f}",
            f"{each['elapsed_s']:.2f}",
            f"{each['tokens_per_s']:,.0f}",
            _times_as_fast(each),
        ]
        for each in content["results"]
    ]
    heads = [
        "variant",
        "MB",
        "loss (nats)",
        "perplexity",
        "elapsed (s)",
        "tokens/s",
        "times as fast",
    ]
    _print_table(heads, rows)
    for warning in content["warnings"]:
        print(f"\nwarning: {warning}")
    print(
        f"\n{protocol['tokens']:,} tokens of {protocol['text']}, batch size "
        f"{protocol['batch_size']}, chunks of {protocol['bptt']}, threads {protocol['threads']}; "
        f"{content['machine']['cpu']}, torch {content['machine']['torch']}"
    )


def _print_runs(rows: list[dict]) -> None:
    if not rows:
        print("no runs are kept yet")
        return
    heads = ["id", "when", "state", "model", "text", "variants", "times as fast"]
    table = [
        [
            row["id"],
            time.strftime("%Y-%m-%d %H:%M", time.localtime(row["created_at"])),
            row["state"],
            row["model"],
            row["text"],
            ", ".join(row["variants"]),
            _times_as_fast(row) if row["speedup"] else "–",
        ]
        for row in rows
    ]
    _print_table(heads, table)


def _print_inspection(content: dict) -> None:
    from wlm.inspection import ceilings, parts_table, times_table

    _print_table(*parts_table(content))
    print()
    _print_table(*times_table(content))
    for warning in content["warnings"]:
        print(f"\nwarning: {warning}")
    machine, threads = content["machine"], content["protocol"]["threads"]
    print(f"\n{ceilings(content)}; threads {threads}; {machine['cpu']}, torch {machine['torch']}")


def _times(row: dict) -> str:
    """A row of `wlm.sweep.curves`, as `_times_as_fast` writes a result."""
    ends = None if row["low"] is None else [row["low"], row["high"]]
    return _times_as_fast({**row, "speedup_ci95": ends})


def _times_as_fast(result: dict) -> str:
    ends = result["speedup_ci95"]
    return f"{result['speedup']:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


def _print_table(heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in [heads, *rows]:
        cells = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
