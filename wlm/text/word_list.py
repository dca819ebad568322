"""The words of a vocabulary's file, in the order of their ids: one per line, or as JSON."""

import json
from collections import Counter
from pathlib import Path

from wlm.errors import TextError, shown
from wlm.text.utf8 import read_utf8

MOST_BYTES = 100_000_000
_BLANKS = " \t\r"
# The keys under which scripts keep the words, or their ids, in a larger object.
_KEYS = ("word2idx", "idx2word", "stoi", "itos", "token2id", "id2token", "vocab", "words", "model")


def read_word_list(path: Path) -> list[str]:
    """Return the words of a file.

    Blanks at the ends of lines and blank lines at the end of the file do not matter. JSON is a list
    of words, or an object from words to ids or back.

    Raises TextError.
    """
    text = read_utf8(path, "vocabulary", MOST_BYTES)
    words = _words_of_json(text, path) if text.lstrip()[:1] in ("{", "[") else None
    if words is None:
        # Not splitlines(): it splits at more characters, and would make two words of one.
        words = [line.rstrip(_BLANKS) for line in text.rstrip(_BLANKS + "\n").split("\n")]
        _refuse_tables(words, path)
        _check_lines(words, path)
    return words


def _refuse_tables(lines: list[str], path: Path) -> None:
    """Raise TextError for words in one line, and for words next to numbers."""
    if len(lines) == 1 and len(words := lines[0].split()) > 1:
        raise TextError(
            f"the vocabulary {str(path)!r} has its {len(words):,} words in one line: "
            "each needs a line of its own"
        )
    for separator in (None, ",", ";"):
        columns = _columns(lines, separator)
        if columns > 1:
            number, first = {2: "two"}.get(columns, f"{columns:,}"), shown(lines[0], 40)
            raise TextError(
                f"the vocabulary {str(path)!r} has {number} columns, such as '{first}': "
                "keep the column of the words alone, in the order of their ids"
            )


def _columns(lines: list[str], separator: str | None) -> int:
    """Return how many columns a table has, or 1 if the lines are no table."""
    if len(lines) < 2:
        return 1
    rows = [line.split(separator) for line in lines]
    if separator is None:
        return 2 if all(len(row) == 2 for row in rows) else 1
    # A title has no number, and in a few rows the separator itself may be a word.
    (columns, count), *_ = Counter(map(len, rows)).most_common(1)
    numbered = sum(any(field.strip().isdecimal() for field in row) for row in rows)
    return columns if min(count, numbered) >= 0.9 * len(rows) - 1 else 1


def _check_lines(words: list[str], path: Path) -> None:
    """Raise TextError, with the line's number, for a line that is not one new word."""
    lines: dict[str, int] = {}
    for number, word in enumerate(words, start=1):
        problem = ""
        if not word and len(words) > 1:
            problem = (
                f"line {number:,} is blank: remove the line if the model has no word for it (a "
                "blank itself cannot be a word)"
            )
        elif word and word.split() != [word]:
            problem = f"line {number:,} must be one word, got '{shown(word, 40)}'"
        elif word in lines:
            problem = f"'{shown(word, 40)}' stands twice, in lines {lines[word]:,} and {number:,}"
        if problem:
            raise TextError(
                f"the vocabulary {str(path)!r} must have one word per line, but {problem}"
            )
        lines[word] = number


def _words_of_json(text: str, path: Path) -> list[str] | None:
    """Return the words in JSON, or None for other text: a word list may begin with a bracket."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for _ in range(3):
        if _are(str, content):
            return content
        if isinstance(content, dict) and (_are(int, content.values()) or _are_ids(content)):
            is_by_id = _are_ids(content)
            pairs = [(int(a), b) if is_by_id else (b, a) for a, b in content.items()]
            pairs.sort()
            if [number for number, _word in pairs] != list(range(len(pairs))):
                raise TextError(
                    f"the ids in the vocabulary {str(path)!r} must be 0 to {len(pairs) - 1:,}, "
                    f"each once, got {shown(pairs[0][0], 20)} to {shown(pairs[-1][0], 20)}"
                )
            return [word for _number, word in pairs]
        inner = [content[key] for key in _KEYS if key in content] if type(content) is dict else []
        if not inner:
            break
        content = inner[0]
    raise TextError(
        f"the vocabulary {str(path)!r} must be a list of words, or an object from words to ids"
    )


def _are_ids(content: dict) -> bool:
    """Tell whether an object maps ids to words."""
    is_from = all(key.isascii() and key.isdecimal() and len(key) < 10 for key in content)
    return is_from and _are(str, content.values())


def _are(kind: type, values: object) -> bool:
    """Tell whether there is at least one value, and all values have this type."""
    if isinstance(values, dict | str) or not hasattr(values, "__iter__"):
        return False
    values = list(values)
    return bool(values) and all(type(value) is kind for value in values)
