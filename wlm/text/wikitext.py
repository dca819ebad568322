"""Conversions between WikiText's tokens and text as people write it, and similar words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from wlm.text.vocabulary import EOS, UNK, Vocabulary

JOINED = ("@-@", "@,@", "@.@")  # a hyphen, comma or point within a word or number
_ATTACHES_LEFT = frozenset(". , ; : ! ? ) ] } % ’ ” … ... °".split())
_ATTACHES_RIGHT = frozenset("( [ { $ £ € ₹ # ‘ “".split())
_ATTACHES_BOTH = frozenset((*JOINED, "/", "⁄"))
_QUOTES = {'"': ("“", "”"), "'": ("‘", "’")}


def detokenize(words: Sequence[str]) -> str:
    """Join WikiText tokens into readable text: spaces, hyphens and quotes as people write them.

    `<eos>` becomes a line end; `<unk>` stays. `tokenize` undoes it.
    """
    return "".join(detokenized(words))


def detokenized(words: Sequence[str]) -> list[str]:
    """Return each word as `detokenize` writes it, with the space before it if there is one."""
    typesetter = Typesetter()
    return [typesetter.add(word) for word in words]


class Typesetter:
    """Turns tokens into pieces of readable text. Each piece depends only on the tokens so far, so
    that a text can be shown as it grows."""

    def __init__(self):
        self._start_line()

    def _start_line(self) -> None:
        self._glue = True  # no space before the next word
        self._older = self._before = ""
        self._open: set[str] = set()  # a quote left open ends with its line

    def add(self, word: str) -> str:
        """Return the next word's piece, with the space before it if there is one."""
        if word == EOS:
            self._start_line()
            return "\n"
        left, right, written = word in _ATTACHES_LEFT, word in _ATTACHES_RIGHT, word
        if word in _ATTACHES_BOTH:
            left, right, written = True, True, word.strip("@")
        elif word in _QUOTES:
            closes = word in self._open
            # An apostrophe after a final s is a genitive unless a quote waits for its end.
            left = closes or (word == "'" and self._before.endswith("s"))
            right = not left
            written = _QUOTES[word][left]
            (self._open.discard if left else self._open.add)(word)
        elif word.startswith("'"):  # the end of a word: 's, 't, 'Brien
            left, written = True, word.replace("'", "’")
        elif word == "–" and self._before.isdecimal():  # from 1900–1950, but not a second one
            left = right = self._older != "–"
        elif word.isdecimal() and self._before == ":" and self._older.isdecimal():  # at 5:30
            left = True
        space = "" if self._glue or left else " "
        self._glue, self._older, self._before = right, self._before, word
        return space + written


@dataclass(frozen=True)
class Line:
    """A line of a text: a paragraph at level 0, else a heading.

    `pieces` are its words as people write them, each after its place in the text. The `=` of a
    heading and the line's end are left out.
    """

    level: int
    pieces: tuple[tuple[int, str], ...]


def lines(words: Sequence[str]) -> Iterator[Line]:
    """Yield a text's lines without empty ones. The last line may be unfinished, and the first may
    be a heading whose beginning is missing."""
    pieces = detokenized(words)
    start = 0
    for end in (*(i for i, word in enumerate(words) if word == EOS), len(words)):
        first, last = start, end
        cut = start == 0 and tuple(words[end - 2 : end]) == ("=", "=")
        if end == len(words) or words[end - 1] == "=":
            while first < end and words[first] == "=":
                first += 1
            while (start < first or cut) and first < last and words[last - 1] == "=":
                last -= 1
        if first < last:
            inner = [(i, pieces[i]) for i in range(first, last)]
            inner[0] = (first, pieces[first].lstrip())
            yield Line(first - start or end - last, tuple(inner))
        start = end + 1


def readable(words: Sequence[str]) -> str:
    """Return a text as people write it: its lines as paragraphs, headings without their `=`."""
    return "\n\n".join("".join(piece for _, piece in line.pieces) for line in lines(words))


# WikiText keeps these as one word with the point, and also U.S. and single capitals.
_ABBREVIATIONS = frozenset(
    "Mr Mrs Ms Dr St Jr Sr Rev Gen Col Lt Sgt Bros Inc Ltd Co Nos Op vs etc al pp var".split()
)
_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "`": "'", "…": "..."})
_LETTER, _SIGN = r"[^\W_²³½⅓⅔]", r"(?:[^\W_²³½⅓⅔]|<|>)"  # or the < or > of <unk>
_OPENING_APOSTROPHE = re.compile(rf"(?<!{_SIGN})'(?={_SIGN})(?!(?:s|t|d|m|re|ve|ll)\b)")
_INNER_APOSTROPHE = re.compile(rf"(?<={_SIGN})'(?=[^\W\d_])")
_INNER_HYPHEN = re.compile(rf"(?<={_SIGN})-(?={_SIGN})")
_INNER_POINT = re.compile(r"(?<=[\d>])([.,])(?=[\d<])")
_TOKEN = re.compile(
    rf"{UNK}|{EOS}|@[-,.]@|'[^\W\d_]+"
    rf"|{_LETTER}+(?:\.{_LETTER}+)*(?:\.(?!\.)|-(?![-\w]))?"  # U.S. and 19th- are whole
    r"|\.+|-+|\S"
)


def tokenize(text: str) -> list[str]:
    """Split text as people write it into WikiText's tokens, `<eos>` between lines.

    Case is kept. A hyphen within a word becomes `@-@`, a comma or point within a number `@,@` or
    `@.@`, and curly quotes become straight. Text that already is a token stays. Source: the rules
    of the Moses tokenizer for English (Koehn et al. 2007), which WikiText went through.
    """
    words: list[str] = []
    for i, line in enumerate(text.translate(_PLAIN).split("\n")):
        words += [EOS] if i else []
        line = _OPENING_APOSTROPHE.sub("' ", line)
        line = _INNER_APOSTROPHE.sub(" '", line)
        line = _INNER_HYPHEN.sub(" @-@ ", line)
        line = _INNER_POINT.sub(r" @\1@ ", line)
        found = _TOKEN.findall(line)
        for word, following in zip(found, [*found[1:], ""], strict=False):
            ends_sentence = word.endswith(".") and not word.startswith(".")
            if ends_sentence and not _keeps_its_point(word[:-1], following):
                words += [word[:-1], "."]
            else:
                words.append(word)
    return words


def _keeps_its_point(stem: str, following: str) -> bool:
    return (
        "." in stem
        or stem in _ABBREVIATIONS
        or (len(stem) == 1 and stem.isupper())
        or (stem == "No" and following.rstrip(".").isdecimal())
    )


def nearest_words(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return the three words of the vocabulary with the spelling most like a word's; case does not
    matter.

    There may be fewer, or none. Source: the ratio of matching letters in RapidFuzz.
    """
    found = process.extract(
        word[:100],
        vocabulary.words,
        scorer=fuzz.ratio,
        processor=str.casefold,
        score_cutoff=60,
        limit=3,
    )
    return [near for near, _score, _place in found]
