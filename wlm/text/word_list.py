"""The words of a vocabulary's file, in the order of their ids: a line each, or as JSON."""

import json
from pathlib import Path

from wlm.errors import TextError
from wlm.text.utf8 import read_utf8

MOST_BYTES = 100_000_000
_BLANKS = " \t\r"
# Under what scripts keep the words, or their ids, in a larger object.
_KEYS = ("word2idx", "idx2word", "stoi", "itos", "token2id", "id2token", "vocab", "words", "model")


def read_word_list(path: Path) -> list[str]:
    """Return the words of a file. Blanks at the ends of lines and blank lines at the end of the
    file do not matter; JSON is a list of words, or an object from words to ids or back.

    Raises TextError.
    """
    text = read_utf8(path, "vocabulary", MOST_BYTES)
    words = _words_of_json(text, path) if text.lstrip()[:1] in ("{", "[") else None
    if words is None:
        # Not splitlines(): a character that it takes for a line end must not make two words.
        words = [line.rstrip(_BLANKS) for line in text.rstrip(_BLANKS + "\n").split("\n")]
        _refuse_tables(words, path)
    return words


def _refuse_tables(lines: list[str], path: Path) -> None:
    """Raise TextError for words in one line, and for words beside numbers."""
    fields = [line.split() for line in lines]
    if len(fields) == 1 and len(fields[0]) > 1:
        raise TextError(
            f"the vocabulary {str(path)!r} has its {len(fields[0]):,} words in one line: "
            "each needs a line of its own"
        )
    if len(fields) > 1 and all(len(each) == 2 for each in fields):
        raise TextError(
            f"the vocabulary {str(path)!r} has two columns, such as {lines[0][:40]!r}: "
            "keep the column of the words alone, in the order of their ids"
        )


def _words_of_json(text: str, path: Path) -> list[str] | None:
    """The words in JSON; None for what is none: a list of words may begin with a bracket."""
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
                    f"each once, got {pairs[0][0]:,} to {pairs[-1][0]:,}"
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
    """Tell whether an object goes from ids to words."""
    is_from = all(key.isascii() and key.isdecimal() and len(key) < 10 for key in content)
    return is_from and _are(str, content.values())


def _are(kind: type, values: object) -> bool:
    """Tell whether these are values of one type alone, at least one."""
    if isinstance(values, dict | str) or not hasattr(values, "__iter__"):
        return False
    values = list(values)
    return bool(values) and all(type(each) is kind for each in values)
