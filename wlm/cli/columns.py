"""Texts side by side, as rows on a terminal that appear while the texts are written."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from wlm.sampling.words import SampledWord
from wlm.text.wikitext import Typesetter

GAP = "  │  "
NARROWEST = 20  # characters of a column


class Column:
    """One text broken into rows of a given width; `rows` has the rows that are full."""

    def __init__(self, width: int):
        self._typesetter, self._width = Typesetter(), width
        self._row = ""
        self.rows: list[str] = []

    def add(self, word: str, *, marked: bool = False) -> None:
        """Add a word; a marked word gets an arrow on each side."""
        piece = self._typesetter.add(word)
        if marked:
            space = " " * piece.startswith(" ")
            piece = f"{space}▸{piece.strip() or word}◂" + "\n" * (piece == "\n")
        *whole, self._row = (self._row + piece).split("\n")
        for line in whole:
            self.rows += self._wrapped(line)
        *full, self._row = self._wrapped(self._row)
        self.rows += full

    def _wrapped(self, text: str) -> list[str]:
        """Return the rows of a line, at least one."""
        return textwrap.wrap(text, self._width, break_on_hyphens=False) or [""]

    def end_row(self) -> None:
        """Begin a new row."""
        self.rows.append(self._row)
        self._row = ""


def side_by_side(
    labels: Sequence[str],
    streams: Sequence[Iterator[SampledWord]],
    prompt: Sequence[str],
    width: int,
) -> Iterator[str]:
    """Yield rows for a terminal of a given width: labels, then texts, one word of each text in
    turn.

    A row is yielded when all columns have it. In each column but the first, arrows mark the first
    word that differs from the first column's.
    """
    each_width = max(NARROWEST, (width - len(GAP) * (len(labels) - 1)) // len(labels))
    columns = [Column(each_width) for _ in labels]

    def rows(count: int) -> Iterator[str]:
        cells = zip_longest(*(column.rows[:count] for column in columns), fillvalue="")
        yield from (GAP.join(cell.ljust(each_width) for cell in row).rstrip() for row in cells)
        for column in columns:
            del column.rows[:count]

    yield GAP.join(label[:each_width].ljust(each_width) for label in labels).rstrip()
    yield GAP.join("─" * each_width for _ in labels)
    for column in columns:
        for word in prompt:
            column.add(word)
    departed = [False] * len(columns)
    for words in zip_longest(*streams):
        for i, (column, sampled) in enumerate(zip(columns, words, strict=True)):
            if sampled is None:
                continue
            differs = words[0] is not None and sampled.word != words[0].word
            column.add(sampled.word, marked=differs and not departed[i])
            departed[i] = departed[i] or differs or words[0] is None
        yield from rows(min(len(column.rows) for column in columns))
    for column in columns:
        column.end_row()
    yield from rows(max(len(column.rows) for column in columns))
