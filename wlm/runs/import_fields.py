"""Fields of a JSON file from anyone: each is of the kind and range that is allowed, or refused.

Each raises ReportError with the field's path, what is allowed, and the value received.
"""

import re
import reprlib
from typing import Any, NoReturn

from wlm.errors import ReportError, allowed_unless

# Imported words are shown as Markdown, where these could draw images and links.
MARKUP = re.compile(r"[\[\]<>`$]")


def check_object(path: str, value: Any, names: tuple[str, ...]) -> dict:
    """Return an object that has at least these names."""
    if not isinstance(value, dict):
        refuse(path, "an object", value)
    if missing := [name for name in names if name not in value]:
        raise ReportError(f"{path} must have {', '.join(names)}, got none of name {missing[0]}")
    return value


def check_list(path: str, value: Any, most: int, fewest: int = 0) -> list:
    """Return a list of so many entries."""
    if not isinstance(value, list):
        refuse(path, "a list", value)
    check_number(f"the length of {path}", len(value), fewest, most)
    return value


def check_number(path: str, value: Any, low: float, high: float, *, optional: bool = False):
    """Return a number in a range, see `allowed_unless`, or None where it is optional."""
    allowed = allowed_unless(value, low, high)
    if allowed and not (optional and value is None):
        refuse(path, allowed + (" or null" if optional else ""), value)
    return value


def check_words(path: str, value: Any, most: int) -> str:
    """Return text of one line, without signs that Markdown could draw with."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        refuse(path, f"at most {most} printable characters", value)
    if MARKUP.search(value):
        refuse(path, "words without any of [ ] < > ` $", value)
    return value


def check_sha256(path: str, value: Any) -> str | None:
    """Return a sha256 in hexadecimal, or None."""
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)):
        refuse(path, "64 hexadecimal digits or null", value)
    return value


def check_one_of(path: str, value: Any, allowed: list) -> None:
    """Refuse what is not allowed, or is of another type."""
    # 1 == 1.0 == True in Python, not in a file.
    if not any(type(value) is type(each) and value == each for each in allowed):
        refuse(path, f"one of {', '.join(map(repr, allowed))}", value)


def refuse(path: str, allowed: str, value: Any) -> NoReturn:
    """Raise the ReportError for a field."""
    raise ReportError(f"{path} must be {allowed}, got {reprlib.repr(value)}")
