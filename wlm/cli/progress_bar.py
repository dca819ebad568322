"""Progress bars, which show only on a terminal and disappear at the end."""

import sys
from collections.abc import Iterable


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
