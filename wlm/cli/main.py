"""`python -m wlm`: find the command, parse its options, run it."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from wlm import __version__
from wlm.cli import output, streams
from wlm.errors import WLMError

# Modules of `wlm.cli.commands`.
COMMANDS = (
    *("compare", "sweep", "evaluate", "size", "inspect", "sample"),
    *("export", "fetch", "reproduce", "train", "runs", "info", "check", "worker"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 a check failed (`check` only), 2 bad
    input or an answer that cannot be written, 130 stopped by Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    streams.prepare_streams()
    try:
        code = _run(arguments)
        streams.flush()
    except WLMError as error:
        output.note(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        output.note("stopped")
        return 130
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        streams.close(sys.stdout)
        return 0
    return code or 0


def _run(arguments: Sequence[str]) -> int | None:
    parser = make_parser(arguments[0] if arguments else "")
    try:
        options = parser.parse_args(arguments)
    except SystemExit:  # after --help, --version and the usage
        streams.flush()
        raise
    return options.run(options)


def make_parser(chosen: str) -> argparse.ArgumentParser:
    """Return the parser of the chosen command, importing only its module; of all commands if the
    name is not in COMMANDS."""
    names = [chosen] if chosen in COMMANDS else COMMANDS
    commands = {name: import_module(f"wlm.cli.commands.{name}") for name in names}
    # `runs` comes right after the commands that make runs.
    order = dict.fromkeys((*COMMANDS[:6], "runs", *COMMANDS))
    examples = [commands[name].EXAMPLES for name in order if name in commands]
    parser = argparse.ArgumentParser(
        prog="python -m wlm",
        description="An LSTM word language model, dynamically quantized and fairly measured.",
        epilog="".join(["examples:\n", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.items():
        added = parsers.add_parser(
            name,
            help=command.__doc__,
            description=command.__doc__,
            epilog=f"examples:\n{command.EXAMPLES}" if command.EXAMPLES else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=command.run)
        added.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
        command.add_options(added)
    return parser
