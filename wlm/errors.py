"""The exceptions whose messages users see, and the checks that they share.

Every message names the fault, the value received, the allowed values and the next step. Pages and
the command line show these messages unchanged; any other exception is a defect, and users see no
details of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MOST_SHOWN = 100  # characters of a file's content in a message


class WLMError(Exception):
    """A fault that the user can fix."""


class SettingError(WLMError):
    """A setting is outside its allowed range."""


class CheckpointError(WLMError):
    """A model's files are missing, damaged, from another program, or do not fit together."""


class TextError(WLMError):
    """A text cannot be read or has too few words for the model."""


class VariantError(WLMError):
    """A variant is misspelled, or this machine cannot run it."""


class StoreError(WLMError):
    """The store of runs cannot be read, or has another version."""


class StoreAwayError(StoreError):
    """The store of runs cannot be reached now."""


class ReportError(WLMError):
    """An exported run is damaged, foreign or contradicts itself, or a run cannot be exported."""


class FetchError(WLMError):
    """A file cannot be fetched, or differs from the published file."""


class UploadError(WLMError):
    """An upload is of the wrong kind, too large, one too many, or another visitor's."""


class TrainError(WLMError):
    """A training cannot start, continue or be saved."""


class AudienceError(WLMError):
    """A room does not exist, takes no votes now, or cannot be stored."""


class NoRoomError(AudienceError):
    """No room has this code."""


class JobError(WLMError):
    """A run cannot be started or has been lost."""


def allowed_unless(value: object, low: float, high: float) -> str:
    """Return an empty text if a value is a number from `low` to `high`, or else the allowed values.

    If both bounds are whole, only whole numbers are allowed. Infinity and NaN are in no range, and
    truth values are not numbers.
    """
    whole = isinstance(low, int) and isinstance(high, int)
    if is_number(value) and low <= value <= high and (isinstance(value, int) or not whole):
        return ""
    ends = [f"{end:,}" if whole or abs(end) < 1e12 else f"{end:g}" for end in (low, high)]
    return f"{'a whole number' if whole else 'a number'} from {' to '.join(ends)}"


def check_range(name: str, value: float, low: float, high: float, *, hint: str = "") -> None:
    """Raise SettingError unless `low <= value <= high`, see `allowed_unless`; `hint` is added to
    the message in parentheses after the range."""
    if allowed := allowed_unless(value, low, high):
        allowed += f" ({hint})" if hint else ""
        got = shown(f"{value:,}" if is_number(value) else repr(value))
        raise SettingError(f"{name} must be {allowed}, got {got}")


def is_number(value: object) -> bool:
    """Tell whether a value is a number; truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_whole(text: str) -> int | None:
    """Return the number that a text of at most nine digits means; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, 300 characters at most, or the exception's
    name if it has no message."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)[:300]


def shown(content: object, most: int = MOST_SHOWN) -> str:
    """Return content of a file as a message may quote it: one line of at most `most` printable
    characters.

    For lists and the like, only the kind is shown: nested ones would take exponential time to
    write. For an exception, its reason is shown, without the path that an OSError has.
    """
    if isinstance(content, BaseException):
        content = _reason(content)
    is_shape = type(content) is tuple and all(type(size) is int for size in content[:MOST_SHOWN])
    if is_shape:
        content = str(content[:MOST_SHOWN])
    elif not isinstance(content, str | int | float | None):
        content = type(content).__name__
    signs = str(content)[: most + 1]
    text = "".join(sign if sign.isprintable() else _escaped(sign) for sign in signs)
    return text if len(text) <= most else f"{text[:most]}…"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _reason(error: BaseException) -> str:
    """Return why a file cannot be read: the first line of an error, or its name if it has none."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # without the path, which may be of this machine
    if isinstance(error, KeyError):
        return "something is missing in it"
    is_plain = all(isinstance(part, str | bytes | int | float | None) for part in error.args)
    return first_line(error) if is_plain else type(error).__name__


def defect(what: str) -> str:
    """Return the message for users if an exception is not a WLMError."""
    return f"{what} met a defect of wlm; the server's log has the details"


@contextmanager
def called(labels: Mapping[Path, str]) -> Iterator[None]:
    """Replace paths in the messages of errors by labels."""
    try:
        yield
    except WLMError as error:
        message = str(error)
        for path, label in labels.items():
            message = message.replace(str(path), label)
        raise type(error)(message) from None
