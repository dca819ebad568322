"""The exceptions whose messages users may see, and the checks and words that they share.

Every message names what was wrong, the allowed values and the value received.
Pages and the command line show these messages as they are; any other exception
is a defect and is shown without its details.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class WLMError(Exception):
    """Something that the user can put right."""


class SettingError(WLMError):
    """A setting is outside its allowed range."""


class CheckpointError(WLMError):
    """A model's files are missing, damaged, foreign or do not fit together."""


class TextError(WLMError):
    """A text cannot be read or is of no use to the model."""


class VariantError(WLMError):
    """A variant is misspelt, or this machine cannot run it."""


class StoreError(WLMError):
    """The store of runs cannot be read, or is of another version."""


class ReportError(WLMError):
    """An exported run is damaged, foreign or contradicts itself, or a run cannot be exported."""


class FetchError(WLMError):
    """Something cannot be fetched, or is not what was published."""


class UploadError(WLMError):
    """An upload is of the wrong kind, too large, one too many, or somebody else's."""


class TrainError(WLMError):
    """A training cannot begin, go on or be saved."""


class JobError(WLMError):
    """A run cannot be started or has been lost."""


def in_range(value: object, low: float, high: float) -> bool:
    """Tell whether a number is in a range; whole bounds admit whole numbers only.

    Infinity and NaN are in no range, and truth values are no numbers.
    """
    right_kind = isinstance(value, int if _are_whole(low, high) else (int, float))
    return right_kind and not isinstance(value, bool) and low <= value <= high


def range_words(low: float, high: float) -> str:
    """Return a range in words, such as `a whole number from 1 to 1,000`."""
    kind = "a whole number" if _are_whole(low, high) else "a number"
    return f"{kind} from {_end(low)} to {_end(high)}"


def check_range(name: str, value: float, low: float, high: float, *, hint: str = "") -> None:
    """Raise SettingError unless a value is `in_range`; `hint` is added to the message in
    parentheses after the range."""
    if not in_range(value, low, high):
        allowed = range_words(low, high) + (f" ({hint})" if hint else "")
        number = isinstance(value, int if _are_whole(low, high) else (int, float))
        shown = f"{value:,}" if number and not isinstance(value, bool) else repr(value)
        raise SettingError(f"{name} must be {allowed}, got {shown}")


def parse_whole(text: str) -> int | None:
    """Return the whole number that at most nine plain digits write; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def defect(what: str) -> str:
    """Return what users are told of any exception that is no WLMError."""
    return f"{what} met a defect of wlm; the server's log has the details"


@contextmanager
def called(labels: Mapping[Path, str]) -> Iterator[None]:
    """Have messages name files as their owner does, not as they lie on this machine."""
    try:
        yield
    except WLMError as error:
        message = str(error)
        for path, label in labels.items():
            message = message.replace(str(path), label)
        raise type(error)(message) from None


def _are_whole(low: float, high: float) -> bool:
    return isinstance(low, int) and isinstance(high, int)


def _end(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) and abs(number) >= 1e12 else f"{number:,}"
