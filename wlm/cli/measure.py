"""Jobs as commands run them: settings from options, a progress bar, and the stored run."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import fields

from wlm.cli import output
from wlm.errors import StoreAwayError

STOPPED_EARLY = "stopped early; this is what was measured"


def given(settings_class: type, options: Namespace) -> dict:
    """Return the options that the settings have, without those that the user left out."""
    names = {setting.name for setting in fields(settings_class)}
    return {
        name: value for name, value in vars(options).items() if name in names and value is not None
    }


def chosen_model(options: Namespace):
    """Open the model of the options. Raises WLMError."""
    from wlm.catalog.open import open_model

    found = open_model(options.model, options.vocabulary, options.corpus)
    note_reading(found.weights_read)
    return found


def note_reading(weights_read: str | None, warnings: Iterable[str] = ()) -> None:
    """Print how weights were read, and warnings about how a text was read."""
    if weights_read:
        output.note(f"weights read: {weights_read}")
    for warning in warnings:
        output.note(f"warning: {warning}")


def measure(job: Callable, spec, name: str = "", later: int | None = None) -> tuple:
    """Do a job behind a progress bar; return its measurement, and whether Ctrl-C ended it.

    `later` is how many such jobs follow: if it is given, the bar shows the seconds of all jobs.
    """
    from wlm.measuring.machine import pinned

    measured = None
    with bar("{remaining}" if later is None else "{postfix}") as shown, pinned(spec.threads):
        try:
            for progress in job(spec):
                measured = progress.measured  # before the bar moves: the user may press Ctrl-C then
                if later is not None:
                    left = spec.seconds if progress.seconds_left is None else progress.seconds_left
                    left += later * spec.most_seconds
                    shown.set_postfix_str(f"at most {left:.0f} s left", refresh=False)
                advance(shown, progress, name)
                shown.refresh()
        except KeyboardInterrupt:
            if measured is None:
                raise
            output.note(STOPPED_EARLY)
            return measured, True
    return measured, False


def keep(spec, content: dict, started: float, stopped: bool) -> str:
    """Store a comparison as a run and return its id; if that fails, warn and return an empty id."""
    from wlm.runs.run import State, finished_run
    from wlm.runs.store import RunStore

    run = finished_run(spec, content, started, State.STOPPED if stopped else State.DONE)
    store = RunStore()
    try:
        store.create(run)
        warning = store.warning
    except StoreAwayError as error:
        warning = str(error)
    if warning:
        output.note(f"warning: {warning}")
        return ""
    return run.id


def with_bar(words: Iterable, total: int):
    """Return the words, with a bar that counts them."""
    from tqdm import tqdm

    return tqdm(words, total=total, unit="word", disable=not sys.stderr.isatty(), leave=False)


def bar(tail: str = "{remaining}"):
    """Return a bar from 0 to 1; `tail` follows the elapsed time."""
    from tqdm import tqdm

    layout = f"{{desc}}: {{percentage:3.0f}}%|{{bar}}| {{elapsed}}<{tail}"
    return tqdm(total=1.0, disable=not sys.stderr.isatty(), leave=False, bar_format=layout)


def advance(shown, progress, name: str = "") -> None:
    """Move a bar to the progress of a job; `name` tells several jobs apart."""
    shown.set_description(": ".join(filter(None, [name, progress.stage])), refresh=False)
    shown.update(progress.done - shown.n)
