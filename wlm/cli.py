"""`python -m wlm`: parse, call, print. The only module that prints."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from wlm import __version__
from wlm.assets import DEFAULT_MODEL, DEFAULT_TEXT, list_models, list_texts
from wlm.errors import WLMError

EXAMPLES = """\
examples:
  python -m wlm compare                                  fp32 against int8 on the bundled text
  python -m wlm compare --variants fp32 pytorch:lstm=int8 --tokens 5000 --json
  python -m wlm evaluate --variants int8 --text my.txt
  python -m wlm size --variants fp32 int8
  python -m wlm inspect --variants fp32 int8
  python -m wlm sample --variant int8 --temperature 0.8 --words 100 --seed 1
  python -m wlm info
"""
VARIANT_HELP = "fp32, int8, or such as pytorch:lstm=int8,linear=int8; what is left out is fp32"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 bad input, 130 stopped by Ctrl-C."""
    options = _parser().parse_args(arguments)
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
    """Print the bytes of each variant's saved state_dict."""
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
    content = _compare(options)
    result = content["results"][0]
    _print(options, result, lambda: _print_results(content))


def compare(options: argparse.Namespace) -> None:
    """Print size, loss and elapsed time of several variants over the same text, in turn."""
    content = _compare(options)
    _print(options, content, lambda: _print_results(content))


def inspect(options: argparse.Namespace) -> None:
    """Print where each variant's bytes, time and error are, module by module."""
    from wlm.inspection import add_bytes_and_errors
    from wlm.module_times import InspectSpec
    from wlm.module_times import inspect as measure

    spec = InspectSpec(
        variants=tuple(options.variants),
        model=options.model,
        text=options.text,
        bptt=options.bptt,
        threads=options.threads,
        seconds=options.seconds,
        seed=options.seed,
        vocabulary=options.vocabulary,
        corpus=options.corpus,
    )
    content = add_bytes_and_errors(_measure(measure, spec), spec)
    _print(options, content, lambda: _print_inspection(content))


def sample(options: argparse.Namespace) -> None:
    """Print text drawn from one variant."""
    from wlm.corpus import detokenize
    from wlm.prepare import prepare
    from wlm.sample import SampleSettings, sample_words
    from wlm.variant import Variant

    settings = SampleSettings(
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        prompt=tuple(options.prompt.split()),
        seed=options.seed,
        allow_unk=not options.no_unk,
        allow_eos=not options.no_eos,
    )
    variant = Variant.parse(options.variant)
    checkpoint = _checkpoint(options)
    model = prepare(checkpoint.model, variant)
    stream = sample_words(model, checkpoint.vocabulary, settings, options.words)
    sampled = list(_with_bar(stream, options.words, "word"))
    words = [each.word for each in sampled]
    content = {
        "variant": str(variant),
        "label": variant.label,
        "temperature": settings.temperature,
        "seed": settings.seed,
        "words": words,
        "words_per_s": len(words) / sum(each.seconds for each in sampled),
    }
    _print(options, content, lambda: print(detokenize([*settings.prompt, *words])))


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


def _checkpoint(options: argparse.Namespace):
    from wlm.assets import find_model
    from wlm.checkpoint import load_checkpoint

    path = find_model(options.model)
    return load_checkpoint(path, vocabulary=options.vocabulary, corpus=options.corpus)


def _compare(options: argparse.Namespace) -> dict:
    from wlm.compare import CompareSpec, compare

    spec = CompareSpec(
        variants=tuple(options.variants),
        model=options.model,
        text=options.text,
        tokens=options.tokens,
        seconds=options.seconds,
        target=options.target,
        bptt=options.bptt,
        batch_size=options.batch_size,
        threads=options.threads,
        seed=options.seed,
        vocabulary=options.vocabulary,
        corpus=options.corpus,
    )
    return _measure(compare, spec)


def _measure(job, spec) -> dict:
    """Do a job with a progress bar; Ctrl-C ends it early and keeps what was measured."""
    from tqdm import tqdm

    from wlm.machine import pinned

    measured = None
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    hidden = not sys.stderr.isatty()
    with (
        tqdm(total=1.0, disable=hidden, leave=False, bar_format=layout) as bar,
        pinned(spec.threads),
    ):
        try:
            for progress in job(spec):
                bar.set_description(progress.stage)
                bar.update(progress.done - bar.n)
                measured = progress.measured
        except KeyboardInterrupt:
            if measured is None:
                raise
            print("wlm: stopped early; this is what was measured", file=sys.stderr)
    return measured.to_json()


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


def _print_inspection(content: dict) -> None:
    from wlm.inspection import ceilings, parts_table, times_table

    _print_table(*parts_table(content))
    print()
    _print_table(*times_table(content))
    for warning in content["warnings"]:
        print(f"\nwarning: {warning}")
    machine, threads = content["machine"], content["protocol"]["threads"]
    print(f"\n{ceilings(content)}; threads {threads}; {machine['cpu']}, torch {machine['torch']}")


def _times_as_fast(result: dict) -> str:
    ends = result["speedup_ci95"]
    return f"{result['speedup']:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


def _print_table(heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in [heads, *rows]:
        cells = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m wlm",
        description="An LSTM word language model, dynamically quantized and fairly measured.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, *, model: bool = True) -> argparse.ArgumentParser:
        name = function.__name__
        examples = [line for line in EXAMPLES.splitlines() if f" wlm {name}" in line]
        added = commands.add_parser(
            name,
            help=function.__doc__,
            description=function.__doc__,
            epilog="\n".join(["examples:", *examples]) if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=function)
        added.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
        if model:
            models = ", ".join(list_models())
            added.add_argument(
                "--model",
                default=DEFAULT_MODEL,
                help=f"a name ({models}), a model folder, or a weights file; default %(default)s",
            )
            added.add_argument("--vocabulary", help="vocabulary file of a bare weights file")
            added.add_argument("--corpus", help="corpus folder of a bare weights file")
        return added

    def text(added: argparse.ArgumentParser) -> None:
        texts = ", ".join(list_texts())
        added.add_argument(
            "--text",
            default=DEFAULT_TEXT,
            help=f"a name ({texts}), a text file, or a folder with a test.txt; default %(default)s",
        )

    def protocol(added: argparse.ArgumentParser) -> None:
        text(added)
        added.add_argument("--tokens", type=int, help="read only the text's first tokens")
        added.add_argument("--seconds", type=float, help="measure for so long, text read again")
        added.add_argument(
            "--target",
            type=float,
            help="end when each speed-up is known give or take this share, such as 0.03",
        )
        added.add_argument("--batch-size", type=int, default=1, help="default %(default)s")
        timing(added)

    def timing(added: argparse.ArgumentParser) -> None:
        added.add_argument("--bptt", type=int, default=25, help="chunk length; default %(default)s")
        added.add_argument("--threads", type=int, default=1, help="default %(default)s")
        added.add_argument("--seed", type=int, default=1, help="of the order in which variants run")

    for function, default in ((size, ["fp32", "int8"]), (compare, ["fp32", "int8"])):
        added = command(function)
        added.add_argument("--variants", nargs="+", default=default, help=VARIANT_HELP)
        if function is compare:
            protocol(added)

    added = command(evaluate)
    added.add_argument("--variants", nargs="+", default=["fp32"], help=VARIANT_HELP)
    protocol(added)

    added = command(inspect)
    added.add_argument("--variants", nargs="+", default=["fp32", "int8"], help=VARIANT_HELP)
    text(added)
    added.add_argument("--seconds", type=float, default=6.0, help="to measure; default %(default)s")
    timing(added)

    added = command(sample)
    added.add_argument("--variant", default="fp32", help=VARIANT_HELP)
    added.add_argument("--temperature", type=float, default=1.0, help="default %(default)s")
    added.add_argument("--words", type=int, default=100, help="default %(default)s")
    added.add_argument("--seed", type=int, default=1, help="default %(default)s")
    added.add_argument("--prompt", default="", help="words to go on from, separated by spaces")
    added.add_argument("--top-k", type=int, default=0, help="only the k likeliest; 0 for all")
    added.add_argument("--top-p", type=float, default=1.0, help="only the likeliest that sum to p")
    added.add_argument("--no-unk", action="store_true", help="never draw <unk>")
    added.add_argument("--no-eos", action="store_true", help="never end a line")

    command(info, model=False)
    command(worker, model=False)
    return parser
