"""Files of plain text, read whole."""

from pathlib import Path

from wlm.errors import TextError


def read_utf8(path: Path, what: str) -> str:
    """Return the text of a file, which messages call a `what`. Raises TextError."""
    try:
        # utf-8-sig: a byte order mark, as some editors write, is not part of the first word.
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise TextError(f"there is no {what} file {str(path)!r}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise TextError(
            f"the {what} {str(path)!r} must be UTF-8, but byte {error.start:,} is 0x{byte:02x}"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        reason = getattr(error, "strerror", None) or str(error)
        raise TextError(f"the {what} {str(path)!r} cannot be read: {reason}") from None
