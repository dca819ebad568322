"""Measure the runs whose ids arrive on standard input (the server starts this)."""

import sys
from argparse import ArgumentParser, Namespace

EXAMPLES = ""


def add_options(parser: ArgumentParser) -> None:
    """Add no options: this command has none."""


def run(options: Namespace) -> None:
    from wlm.runs.worker import work

    work(sys.stdin)
