"""Fetch WikiText-2 or the tutorial's own weights and verify them."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import advance, bar

EXAMPLES = """\
  python -m wlm fetch wikitext-2
"""


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("wikitext-2", "tutorial-weights"))
    parser.add_argument(
        "--to", metavar="DIR", help="store the files here instead of in the data folder (WLM_DATA)"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="a URL or a folder that holds the published files; default: WLM_MIRROR, else the "
        "publisher",
    )


def run(options: Namespace) -> None:
    from wlm.catalog.fetch import fetch
    from wlm.measuring.wording import size_in_words

    with bar() as shown:
        folder = fetch(
            options.what, options.source, options.to, lambda progress: advance(shown, progress)
        )
    files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    content = {"what": options.what, "folder": str(folder), "files": files}
    line = f"{options.what}: {folder}, {size_in_words(sum(files.values()))}"
    output.answer(options, content, lambda: output.say(line))
