"""The exceptions whose messages users may see, and the one range check behind them.

Every message names what was wrong, the allowed values and the value received.
Pages and the command line show these messages as they are; any other exception
is a defect and is shown without its details.
"""


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


def check_range(name: str, value: float, low: float, high: float, *, hint: str = "") -> None:
    """Raise SettingError unless `low <= value <= high`.

    The value must be of the bounds' kind: whole bounds admit whole numbers only. `hint` is added
    to the message in parentheses after the range.
    """
    whole = isinstance(low, int) and isinstance(high, int)
    kind = "a whole number" if whole else "a number"
    allowed = f"{kind} from {low:,} to {high:,}" + (f" ({hint})" if hint else "")
    right_kind = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not right_kind or not low <= value <= high:
        shown = f"{value:,}" if right_kind else repr(value)
        raise SettingError(f"{name} must be {allowed}, got {shown}")
