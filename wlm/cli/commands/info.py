"""Print versions, the machine, and the names of models and texts."""

from argparse import ArgumentParser, Namespace

from wlm import __version__
from wlm.catalog.registry import list_models, list_texts
from wlm.cli import output

EXAMPLES = """\
  python -m wlm info
"""


def add_options(parser: ArgumentParser) -> None:
    """Add no options: this command has none."""


def run(options: Namespace) -> None:
    from wlm.measuring.machine import describe_machine

    content = {
        "version": __version__,
        "machine": describe_machine(),
        "models": {name: str(path) for name, path in list_models().items()},
        "texts": {name: str(path) for name, path in list_texts().items()},
    }
    output.answer(options, content, lambda: output.print_info(content))
