"""Train a model from scratch on a folder of text; Ctrl-C saves and stops."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from wlm.cli import output
from wlm.cli.measure import advance, bar, given
from wlm.errors import WLMError

EXAMPLES = """\
  python -m wlm train --corpus DIR --out DIR --preset tiny
"""


def add_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--corpus", required=True, help="a folder with train.txt, valid.txt and test.txt")
    add(
        "--out",
        required=True,
        help="the folder for the model, and for the state of an unfinished training",
    )
    add("--resume", action="store_true", help="continue the unfinished training in --out")
    add("--preset", choices=("recipe", "tiny"), default="recipe", help="default %(default)s")
    orders = ("frequency", "appearance")
    add("--order", choices=orders, help="of the words in the vocabulary")
    for name, kind, words in (
        ("--minutes", float, "limit of the training time; schedules adapt to it"),
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
        add(name, type=kind, help=words)


def run(options: Namespace) -> None:
    from wlm.measuring.wording import read_as
    from wlm.training.recipe import PRESETS, Recipe
    from wlm.training.state import STATE
    from wlm.weights.checkpoint import checked_card

    chosen = given(Recipe, options)
    recipe = replace(PRESETS[options.preset], **chosen)
    if options.resume and chosen:
        raise WLMError(f"--resume keeps the settings it began with, got {', '.join(chosen)}")
    asked = []  # by Ctrl-C
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        _follow(options, recipe, stopped=lambda: asked)
    finally:
        signal.signal(signal.SIGINT, before)
    if (Path(options.out) / STATE).exists():
        where = f"--corpus {options.corpus} --out {options.out}"
        output.note(f"saved; to go on: python -m wlm train {where} --resume")
        raise KeyboardInterrupt
    card = checked_card(options.out)
    losses = f"valid loss {card['valid_loss']:.4f}, test loss {card['test_loss']['fp32']:.4f}"
    if unknown := read_as(card):
        losses += f", of its words {unknown}"
    output.answer(options, card, lambda: output.say(f"{options.out}: {losses}"))


def _follow(options: Namespace, recipe, stopped) -> None:
    """Train behind a bar; print a line above the bar for each new point of the curve."""
    from wlm.training.train import train

    shown = 0
    with bar("{postfix}") as line:
        job = train(options.corpus, options.out, recipe, resume=options.resume, stopped=stopped)
        for progress in job:
            if shown == 0 and options.resume:
                shown = len(progress.curve)
            for point in progress.curve[shown:]:
                with line.external_write_mode(file=sys.stderr):
                    output.print_aside(output.curve_line(point))
            shown = len(progress.curve)
            if progress.seconds_left is not None:
                minutes, seconds = divmod(round(progress.seconds_left), 60)
                line.set_postfix_str(f"{minutes}:{seconds:02} left", refresh=False)
            advance(line, progress)
