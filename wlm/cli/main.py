"""`python -m wlm`: parse, call, print. Only this module and `terminal.py` print."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from wlm import __version__
from wlm.catalog.names import list_models, list_texts
from wlm.cli import output as terminal
from wlm.cli.options import make_parser
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
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant

    variants = [Variant.parse(name) for name in options.variants]
    model = _checkpoint(options).model
    rows = [
        {"variant": str(each), "label": each.label, "bytes": prepare(model, each).saved_bytes}
        for each in variants
    ]
    table = [[row["label"], f"{row['bytes']:,}", f"{row['bytes'] / 1e6:.1f}"] for row in rows]
    _print(options, rows, lambda: terminal.print_table(["variant", "bytes", "MB"], table))


def evaluate(options: argparse.Namespace) -> None:
    """Print the loss of one variant over a text."""
    if len(options.variants) != 1:
        raise WLMError(
            f"evaluate takes one variant, got {len(options.variants)}: compare takes several"
        )
    _, content, _ = _compare(options)
    _print(options, content["results"][0], lambda: terminal.print_results(content))


def compare(options: argparse.Namespace) -> None:
    """Print size, loss and elapsed time of several variants over the same text, in turn."""
    started = time.time()
    spec, content, stopped = _compare(options)
    kept = _keep(spec, content, started, stopped)

    def show() -> None:
        terminal.print_results(content)
        kept()

    _print(options, content, show)


def runs(options: argparse.Namespace) -> None:
    """List, show, export, import or delete the runs that are kept."""
    from wlm.measuring.comparison import CompareSpec
    from wlm.runs.export import summary, to_csv, to_json, to_markdown
    from wlm.runs.import_run import from_json
    from wlm.runs.store import RunStore

    store = RunStore()
    if store.warning:
        raise WLMError(store.warning)
    if options.action == "list":
        check_range("--most", options.most, 1, 10_000)
        kept = [store.get(run.id) for run in store.list_runs(CompareSpec.kind, options.most)]
        rows = [summary(run) for run in kept]
        _print(options, rows, lambda: terminal.print_runs(rows))
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
    from wlm.inspecting.summary import add_bytes_and_errors
    from wlm.inspecting.times import InspectSpec
    from wlm.inspecting.times import inspect as measure

    spec = _settings(InspectSpec, options)
    measured, _ = _measure(measure, spec)
    content = add_bytes_and_errors(measured.to_json(), spec)
    _print(options, content, lambda: terminal.print_inspection(content))


def sweep(options: argparse.Namespace) -> None:
    """Print how much faster each variant is at several values of one knob."""
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec
    from wlm.measuring.sweep import KNOBS, SweepSpec, parse_over, to_json

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
    _print(options, content, lambda: terminal.print_sweep(content))


def sample(options: argparse.Namespace) -> None:
    """Print text drawn from one variant, or from fp32 and one beside it."""
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant
    from wlm.sampling.words import SampleSettings, sample_words
    from wlm.text.wikitext import tokenize

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
            text += terminal.with_bar(stream, options.words, "word")
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
        terminal.print_columns(variants, streams, settings.prompt)
    else:
        terminal.print_stream(streams[0], settings.prompt)


def _note_unknown(prompt: Sequence[str], vocabulary) -> None:
    from wlm.text.wikitext import nearest_words

    for word in dict.fromkeys(prompt):
        if word not in vocabulary:
            near = ", ".join(nearest_words(word, vocabulary)) or "none"
            print(f"wlm: {word!r} is read as <unk>; near it: {near}", file=sys.stderr)


def fetch(options: argparse.Namespace) -> None:
    """Fetch WikiText-2 or the tutorial's own weights, verified; they join every list."""
    from wlm.catalog.fetch import fetch as get

    with terminal.bar() as bar:

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
    from wlm.catalog.open import open_model
    from wlm.measuring.compare import compare
    from wlm.measuring.reproduce import table, to_json, tutorial_settings
    from wlm.sampling.words import MAX_WORDS

    spec = tutorial_settings(options.model, options.text, options.tokens)
    check_range("--words", options.words, 1, MAX_WORDS)
    if options.out:
        _write(options.out)  # refused now rather than after a thousand words
    checkpoint = open_model(spec.model)
    written = _tutorials_words(checkpoint, spec.threads, options)
    started = time.time()
    measured, stopped = _measure(compare, spec)
    comparison = measured.to_json()
    kept = _keep(spec, comparison, started, stopped)
    content = to_json(spec, comparison, table(spec, comparison, stopped), written)

    def show() -> None:
        terminal.print_reproduction(content)
        kept()

    _print(options, content, show)


def _tutorials_words(checkpoint, threads: int, options: argparse.Namespace) -> list:
    """Write as section 3 of the tutorial does, with its generator and seed, to --out if given.

    What was written until Ctrl-C is kept and printed.
    """
    from wlm.measuring.evaluate import thread_count
    from wlm.sampling.words import SampleSettings, sample_words, to_out_txt

    stream = sample_words(
        checkpoint.model, checkpoint.vocabulary, SampleSettings(seed=1111), options.words
    )
    written, ended = [], False
    try:
        with thread_count(threads):
            for each in terminal.with_bar(stream, options.words, "word"):
                written.append(each)
        ended = True
    finally:
        words = [each.word for each in written]
        if options.out and words:
            _write(options.out, to_out_txt(words))
        if not ended and words:
            print(f"wlm: stopped after {len(words):,} words: {' '.join(words)}", file=sys.stderr)
    return written


def train(options: argparse.Namespace) -> None:
    """Train a model from scratch on a folder of text; Ctrl-C saves and stops."""
    import signal

    from wlm.model.checkpoint import checked_card
    from wlm.training.recipe import PRESETS, Recipe
    from wlm.training.state import STATE
    from wlm.training.train import train as steps

    names = {each.name for each in fields(Recipe)}
    chosen = {key: each for key, each in vars(options).items() if key in names}
    recipe = PRESETS[options.preset].changed(chosen)
    if options.resume and (given := [key for key, each in chosen.items() if each is not None]):
        raise WLMError(f"--resume keeps the settings it began with, got {', '.join(given)}")
    asked = []  # by Ctrl-C
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    shown = 0
    try:
        with terminal.bar("{postfix}") as bar:
            job = steps(
                options.corpus, options.out, recipe, resume=options.resume, stopped=lambda: asked
            )
            for progress in job:
                if shown == 0 and options.resume:
                    shown = len(progress.curve)
                for point in progress.curve[shown:]:
                    bar.write(terminal.curve_line(point), file=sys.stderr)
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


def info(options: argparse.Namespace) -> None:
    """Print versions, the machine, and the models and texts that have names."""
    from wlm.measuring.machine import describe_machine

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
    from wlm.runs.worker import work

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
    from wlm.catalog.open import open_model

    return open_model(options.model, options.vocabulary, options.corpus)


def _read_bytes(path: str) -> bytes:
    """A file's content, or standard input's for `-`; a byte too many tells one that is too long."""
    from wlm.runs.import_run import MOST_BYTES

    try:
        if path == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WLMError(f"the file {path!r} cannot be read: {error.strerror}") from None


def _compare(options: argparse.Namespace) -> tuple:
    """Run a comparison; return its settings, its JSON, and whether it was stopped."""
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec

    spec = _settings(CompareSpec, options)
    measured, stopped = _measure(compare, spec)
    return spec, measured.to_json(), stopped


def _keep(spec, content: dict, started: float, stopped: bool) -> Callable[[], None]:
    """Keep a comparison as a run, warn where that fails, and return what prints its id."""
    from wlm.runs.run import State, finished_run
    from wlm.runs.store import RunStore

    run = finished_run(spec, content, started, State.STOPPED if stopped else State.DONE)
    store = RunStore()
    store.create(run)
    if store.warning:
        print(f"wlm: warning: {store.warning}", file=sys.stderr)
        return lambda: None
    return lambda: print(f"kept as run {run.id}")


def _write(path: str, text: str | None = None) -> None:
    """Write a text file; without a text, only find out whether that can be done."""
    try:
        with Path(path).open("a" if text is None else "w", encoding="utf-8") as file:
            file.write(text or "")
    except OSError as error:
        raise WLMError(f"the file {path!r} cannot be written: {error.strerror}") from None


def _settings(settings_class, options: argparse.Namespace):
    """Make a job's settings of the options, which have the same names."""
    return settings_class.from_json(
        {each.name: getattr(options, each.name) for each in fields(settings_class)}
    )


def _measure(job, spec, name: str = "", later: int | None = None) -> tuple:
    """Do a job behind a progress bar; return what it measured, and whether Ctrl-C ended it.

    `later` is how many such jobs follow: with it the bar tells the seconds of them all.
    """
    from wlm.measuring.machine import pinned

    measured = None
    with (
        terminal.bar("{remaining}" if later is None else "{postfix}") as bar,
        pinned(spec.threads),
    ):
        try:
            for progress in job(spec):
                measured = progress.measured  # before it shows: who sees it may press Ctrl-C
                bar.set_description(": ".join(filter(None, [name, progress.stage])), refresh=False)
                if later is not None:
                    left = spec.seconds if progress.seconds_left is None else progress.seconds_left
                    left += later * spec.most_seconds
                    bar.set_postfix_str(f"at most {left:.0f} s left", refresh=False)
                bar.update(progress.done - bar.n)
                bar.refresh()
        except KeyboardInterrupt:
            if measured is None:
                raise
            print("wlm: stopped early; this is what was measured", file=sys.stderr)
            return measured, True
    return measured, False


def _print(options: argparse.Namespace, content, show) -> None:
    if options.json:
        print(json.dumps(content, indent=2))
    else:
        show()
