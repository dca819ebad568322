"""Two texts as rows of a terminal."""

import pytest

from wlm.cli.columns import GAP, side_by_side
from wlm.sampling.words import SampledWord


def rows(*texts: str, prompt: str = "", width: int = 45) -> list[str]:
    streams = [iter([SampledWord(w, 0, 1.0, 0.0) for w in text.split()]) for text in texts]
    labels = ["fp32", "int8"][: len(texts)]
    return list(side_by_side(labels, streams, prompt.split(), width))


def test_rows_hold_both_texts_and_the_first_difference_is_marked():
    assert rows("a river , and b c", "a river , or b d", prompt="The old") == [
        f"fp32                {GAP}int8",
        f"{'─' * 20}{GAP}{'─' * 20}",
        f"The old a river, and{GAP}The old a river,",
        f"b c                 {GAP}▸or◂ b d",
    ]


def test_a_line_end_begins_a_row_and_a_missing_word_leaves_space():
    found = rows("a <eos> b", "a <eos> b c <eos> d")
    assert [row.split("│") for row in found[2:]] == [
        ["a                     ", "  a"],
        ["b                     ", "  b c"],
        ["                      ", "  d"],
    ]


@pytest.mark.parametrize("width", [1, 45, 60, 100, 101])
def test_no_row_is_wider_than_the_terminal_and_no_letter_is_lost(width):
    words = " ".join("x" * (i % 31 + 1) for i in range(60))
    found = rows(words, words, width=width)
    assert max(map(len, found)) <= max(width, 2 * 20 + len(GAP))
    left = "".join(row.split("│")[0] for row in found[2:]).replace(" ", "")
    assert left == words.replace(" ", "")


def test_rows_come_while_words_are_drawn():
    drawn = []

    def stream():
        for i in range(100):
            drawn.append(i)
            yield SampledWord("river", 0, 1.0, 0.0)

    found = side_by_side(["fp32", "int8"], [stream(), stream()], [], 45)
    assert [next(found) for _ in range(3)][2].startswith("river river river")
    assert len(drawn) < 20
