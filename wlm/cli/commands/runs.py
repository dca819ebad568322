"""List, show, export, import or delete runs."""

import json
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path

from wlm.cli import output
from wlm.errors import WLMError, check_range

EXAMPLES = """\
  python -m wlm runs list
  python -m wlm runs export ID --format markdown
"""


def add_options(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")

    def action(name: str, help: str) -> ArgumentParser:
        added = actions.add_parser(name, help=help, description=help)
        # Its default must not undo a --json before the action.
        added.add_argument("--json", action="store_true", default=SUPPRESS, help="print JSON")
        return added

    added = action("list", "List the latest runs.")
    added.add_argument("--most", type=int, default=50, help="how many runs; default %(default)s")
    action("show", "Print a run as a report.").add_argument("id")
    added = action("export", "Print a run as a file.")
    added.add_argument("id")
    formats = ("json", "csv", "markdown", "html")
    added.add_argument("--format", choices=formats, default="json", help="default %(default)s")
    help = "Import a run that was exported as JSON or HTML."
    action("import", help).add_argument("file", help="a file, or - for standard input")
    action("delete", "Delete a run that has ended.").add_argument("id")


def run(options: Namespace) -> None:
    from wlm.measuring.comparison import CompareSpec
    from wlm.runs.export import summary, to_json, to_markdown
    from wlm.runs.html import run_json
    from wlm.runs.import_run import from_json
    from wlm.runs.store import RunStore

    store = RunStore()
    if store.warning:
        raise WLMError(store.warning)
    if options.action == "list":
        check_range("--most", options.most, 1, 10_000)
        kept = [store.get(run.id) for run in store.list_runs(CompareSpec.kind, options.most)]
        rows = [summary(run) for run in kept]
        output.answer(options, rows, lambda: output.print_runs(rows))
    elif options.action == "show":
        shown = store.get(options.id)
        text = to_markdown(shown) if shown.result else shown.message
        output.answer(options, json.loads(to_json(shown))["run"], lambda: output.say(text))
    elif options.action == "export":
        output.print_file(_writer(options.format)(store.get(options.id)))
    elif options.action == "import":
        added = from_json(run_json(_read_bytes(options.file)))
        store.add_imported(added)
        output.answer(options, summary(added), lambda: output.say(f"kept as run {added.id}"))
    else:
        store.delete(options.id, visitor=None)
        line = f"deleted run {options.id}"
        output.answer(options, {"deleted": options.id}, lambda: output.say(line))


def _writer(format: str):
    """Return the function that makes a file of this format from a run."""
    from wlm.runs.export import to_csv, to_json, to_markdown

    if format == "html":
        from view.runs.html_report import html_report  # with the charts that the pages draw

        return html_report
    return {"json": to_json, "csv": to_csv, "markdown": to_markdown}[format]


def _read_bytes(path: str) -> bytes:
    """Return the content of a file, or of standard input for `-`: at most one byte over the limit,
    which shows that the file is too long."""
    from wlm.runs.import_run import MOST_BYTES

    try:
        if path == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WLMError(f"the file {path!r} cannot be read: {error.strerror}") from None
