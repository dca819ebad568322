"""A text as Markdown: typeset as people write, or its raw tokens, with places marked."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from view.shared.next_words import shown_word
from view.shared.page import plain
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import lines


def typeset(words: list[str], marks: Mapping[int, str] | None = None, *, prompt: int = 0) -> str:
    """Return Markdown of a text with headings and paragraphs. `marks` are icons by place; the first
    `prompt` words are grey."""
    marks = dict(marks or {})
    blocks: list[str] = []
    for line in lines(words):
        text = ""
        for place, piece in line.pieces:
            for hidden in [mark for mark in marks if mark < place]:  # typesetting leaves it out
                text += _marked(marks.pop(hidden), _NAMES.get(words[hidden], words[hidden]))
            if place in marks:
                text += _marked(marks.pop(place), piece.strip())
            else:
                text += _plain(piece, grey=place < prompt)
        blocks.append(("#" * min(6, line.level + 1) + " " if line.level else "") + text.strip())
    last = "".join(_marked(icon, _NAMES.get(words[i], words[i])) for i, icon in marks.items())
    return "\n\n".join([*blocks, last] if last else blocks)


_NAMES = {EOS: shown_word(EOS), "=": "heading"}


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
