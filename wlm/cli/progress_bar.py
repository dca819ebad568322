"""Progress bars, which show on a terminal only and go away."""

import sys
from collections.abc import Iterable


def with_bar(items: Iterable, total: int, unit: str):
    """Hand items on behind a bar that counts them."""
    from tqdm import tqdm

    return tqdm(items, total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)


def bar(tail: str = "{remaining}"):
    """Return a bar from 0 to 1; `tail` is what stands after the time spent."""
    from tqdm import tqdm

    layout = f"{{desc}}: {{percentage:3.0f}}%|{{bar}}| {{elapsed}}<{tail}"
    return tqdm(total=1.0, disable=not sys.stderr.isatty(), leave=False, bar_format=layout)


def advance(shown, progress, name: str = "") -> None:
    """Move a bar to where a job is; `name` tells which of several it is."""
    shown.set_description(": ".join(filter(None, [name, progress.stage])), refresh=False)
    shown.update(progress.done - shown.n)
