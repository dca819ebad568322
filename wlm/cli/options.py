"""The options of the command line."""

import argparse
from collections.abc import Callable, Mapping, Sequence

from wlm import __version__
from wlm.catalog.names import DEFAULT_MODEL, DEFAULT_TEXT, list_models, list_texts

EXAMPLES = """\
examples:
  python -m wlm compare                                  fp32 against int8 on the bundled text
  python -m wlm compare --variants fp32 pytorch:lstm=int8 --tokens 5000 --json
  python -m wlm sweep --over bptt=1,5,25,100 --variants fp32 int8
  python -m wlm evaluate --variants int8 --text my.txt
  python -m wlm size --variants fp32 int8
  python -m wlm inspect --variants fp32 int8
  python -m wlm sample --variant int8 --temperature 0.8 --words 100 --seed 1
  python -m wlm sample --compare --prompt "The old bridge" --temperature 0.8
  python -m wlm runs list
  python -m wlm runs export ID --format markdown
  python -m wlm fetch wikitext-2
  python -m wlm reproduce
  python -m wlm reproduce --tokens 20000
  python -m wlm train --corpus DIR --out DIR --preset tiny
  python -m wlm info
"""
VARIANT_HELP = (
    "fp32, int8, or such as pytorch:lstm=int8,linear=int8 or onnxruntime:lstm=int8; "
    "what is left out is fp32"
)
BOTH = ("fp32", "int8")


def make_parser(functions: Mapping[str, Callable]) -> argparse.ArgumentParser:
    """Return the parser of all commands; the chosen one's function becomes `command`.

    Each function is described by its docstring.
    """
    parser = argparse.ArgumentParser(
        prog="python -m wlm",
        description="An LSTM word language model, dynamically quantized and fairly measured.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, *, model: bool = True) -> argparse.ArgumentParser:
        function = functions[name]
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

    def variants(added: argparse.ArgumentParser, default: Sequence[str]) -> None:
        added.add_argument("--variants", nargs="+", default=list(default), help=VARIANT_HELP)

    added = command("compare")
    variants(added, BOTH)
    protocol(added)

    added = command("sweep")
    added.add_argument(
        "--over",
        required=True,
        metavar="KNOB=VALUES",
        help="bptt, batch_size, threads or hidden (random weights), such as bptt=1,5,25,100",
    )
    variants(added, BOTH)
    protocol(added)
    added.set_defaults(seconds=8.0)

    added = command("evaluate")
    variants(added, ["fp32"])
    protocol(added)

    variants(command("size"), BOTH)

    added = command("inspect")
    variants(added, BOTH)
    text(added)
    added.add_argument("--seconds", type=float, default=6.0, help="to measure; default %(default)s")
    timing(added)

    added = command("sample")
    added.add_argument("--variant", help=f"{VARIANT_HELP}; default fp32, with --compare int8")
    added.add_argument("--compare", action="store_true", help="fp32 beside it, in two columns")
    added.add_argument("--temperature", type=float, default=1.0, help="default %(default)s")
    added.add_argument("--words", type=int, default=100, help="default %(default)s")
    added.add_argument("--seed", type=int, default=1, help="default %(default)s")
    added.add_argument("--prompt", default="", help="text to go on from")
    added.add_argument("--top-k", type=int, default=0, help="only the k likeliest; 0 for all")
    added.add_argument("--top-p", type=float, default=1.0, help="only the likeliest that sum to p")
    added.add_argument("--no-unk", action="store_true", help="never draw <unk>")
    added.add_argument("--no-eos", action="store_true", help="never end a line")
    added.add_argument(
        "--stop-at-article", action="store_true", help="end where the next article would begin"
    )
    added.add_argument(
        "--draw",
        default="multinomial",
        help="multinomial, as in the tutorial, race, or inverse-cdf, the quickest; "
        "default %(default)s",
    )

    added = command("fetch", model=False)
    added.add_argument("what", choices=("wikitext-2", "tutorial-weights"))
    added.add_argument("--to", metavar="DIR", help="in place of the data folder, or WLM_DATA")
    added.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="a URL or a folder that holds the published files; default: WLM_MIRROR, or their "
        "publishers",
    )

    added = command("reproduce", model=False)
    added.add_argument("--model", help="default: the tutorial's where fetched, else the bundled")
    added.add_argument("--text", help="WikiText-2's folder where it was not fetched")
    added.add_argument("--tokens", type=int, help="read only the text's first tokens")
    added.add_argument("--words", type=int, default=1_000, help="default %(default)s")
    added.add_argument("--out", metavar="FILE", help="write the words there, as the tutorial did")

    _add_train_options(command("train", model=False))
    _add_runs_actions(command("runs", model=False))
    command("info", model=False)
    command("worker", model=False)
    return parser


def _add_runs_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")

    def action(name: str, help: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=help, description=help)
        # Its default must not undo a --json that stands before the action.
        unset = argparse.SUPPRESS
        added.add_argument("--json", action="store_true", default=unset, help="print JSON")
        return added

    added = action("list", "List the latest runs.")
    added.add_argument("--most", type=int, default=50, help="how many; default %(default)s")
    action("show", "Print a run as a report.").add_argument("id")
    added = action("export", "Print a run as a file.")
    added.add_argument("id")
    formats = ("json", "csv", "markdown")
    added.add_argument("--format", choices=formats, default="json", help="default %(default)s")
    help = "Keep a run that was exported as JSON."
    action("import", help).add_argument("file", help="a file, or - for standard input")
    action("delete", "Delete a run that has ended.").add_argument("id")


def _add_train_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--corpus", required=True, help="a folder with train.txt, valid.txt and test.txt")
    add("--out", required=True, help="the model's folder; the state of an unfinished one, too")
    add("--resume", action="store_true", help="go on with the unfinished training in --out")
    add("--preset", choices=("recipe", "tiny"), default="recipe", help="default %(default)s")
    add("--minutes", type=float, help="train for so long at most, with schedules to fit")
    add("--order", choices=("frequency", "appearance"), help="of the words in the vocabulary")
    for name, kind, help in (
        ("--ninp", int, "embedding dimension"),
        ("--nhid", int, "hidden units per layer"),
        ("--nlayers", int, "LSTM layers"),
        ("--epochs", float, "with the sampled softmax, phase 1"),
        ("--full-epochs", float, "with the full softmax, phase 2"),
        ("--batch-size", int, None),
        ("--bptt", int, "chunk length"),
        ("--learning-rate", float, "of phase 1"),
        ("--dropout", float, "on embeddings and the last output"),
        ("--seed", int, None),
        ("--threads", int, None),
    ):
        add(name, type=kind, help=help)
