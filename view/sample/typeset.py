"""A text as Markdown: typeset as people write, or its raw tokens, with places marked."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import streamlit as st

from view.shared.next_words import shown_word
from view.shared.page import plain
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import lines

LEFT_OUT = {EOS: shown_word(EOS), "=": "heading"}  # what typesetting leaves out, by its name


def whole_lines(words: Sequence[str]) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield the level of each line, as `lines` does, and its pieces after their places. Line ends
    and the signs of headings, which typesetting leaves out, are empty pieces of the next line. If
    there is no next line, they are a line of their own."""
    start = 0
    for line in lines(words):
        first, last = line.pieces[0][0], line.pieces[-1][0]
        yield line.level, [*((place, "") for place in range(start, first)), *line.pieces]
        start = last + 1
    if start < len(words):
        yield 0, [(place, "") for place in range(start, len(words))]


def typeset(words: list[str], marks: Mapping[int, str] | None = None, *, prompt: int = 0) -> str:
    """Return Markdown of a text with headings and paragraphs. `marks` are icons by place; the first
    `prompt` words are grey."""
    marks = marks or {}
    blocks: list[str] = []
    for level, pieces in whole_lines(words):
        text = ""
        for place, piece in pieces:
            if place in marks:
                text += _marked(marks[place], piece.strip() or LEFT_OUT.get(words[place], ""))
            elif piece:
                text += _plain(piece, grey=place < prompt)
        if text := text.strip():
            blocks.append(f"{'#' * min(6, level + 1)} {text}" if level else text)
    return "\n\n".join(blocks)


def show_pair(
    texts: Sequence[Sequence[str]],
    writers: Sequence[str] = (),
    below: Callable[[int], None] = lambda side: None,
    *,
    large: bool = False,
) -> None:
    """Show texts A and B next to each other, with who wrote them if `writers` has their names, and
    what `below` draws under each. A `large` pair is for a stage."""
    for side, (column, words) in enumerate(zip(st.columns(2), texts, strict=True)):
        with column, st.container(border=True, height="stretch"):
            truth = f" is by {writers[side]}" if writers else ""
            text = f"{typeset(list(words))} …"
            if large:
                st.header(f"{'AB'[side]}{truth}", anchor=False)
                st.subheader(text, anchor=False)
            else:
                st.markdown(f"**Text {'AB'[side]}{truth}**")
                st.markdown(text)
            below(side)


def raw_tokens(words: list[str], marks: Mapping[int, str], *, prompt: int = 0) -> str:
    """Return Markdown of the tokens as they are, `<eos>` ending a line, as `typeset` does."""
    pieces = [
        (_marked(marks[i], word) if i in marks else _plain(f" {word}", grey=i < prompt))
        + ("\n\n" if word == EOS else "")
        for i, word in enumerate(words)
    ]
    return "".join(pieces)


def _plain(piece: str, *, grey: bool) -> str:
    word = piece.lstrip()
    space = " " * (len(piece) - len(word))
    return f"{space}:gray[{plain(word)}]" if grey else space + plain(word)


def _marked(icon: str, word: str) -> str:
    return f" :orange-background[:orange[{icon}] **{plain(word)}**]"
