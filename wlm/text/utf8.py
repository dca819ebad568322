"""Files of plain text, read whole."""

from pathlib import Path

from wlm.errors import TextError
from wlm.files import kind_by_beginning, why_unreadable

MOST_BYTES = 1_000_000_000  # WikiText-103 has 540 million
_AT_ONCE = 1_000_000  # bytes: a file of holes is refused by its first ones


def read_utf8(path: Path, what: str, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file; messages call the file `what`.

    Raises TextError if the file is no text, too large, in another encoding, or has NUL characters.
    """
    name = f"the {what} {str(path)!r}"
    try:
        if reason := why_unreadable(path, most_bytes):
            raise TextError(f"{name} cannot be read: {reason}")
        with path.open("rb") as file:
            content = _checked(file.read(_AT_ONCE), name)
            while more := file.read(_AT_ONCE):
                _refuse_nul(more, len(content), name)
                content += more
        # A byte order mark, as some editors write, is not part of the first word.
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise TextError(f"there is no {what} file {str(path)!r}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise TextError(f"{name} must be UTF-8, but byte {error.start:,} is 0x{byte:02x}") from None
    except OSError as error:
        raise TextError(f"{name} cannot be read: {error.strerror or error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _checked(start: bytes, name: str) -> bytearray:
    if kind := kind_by_beginning(start):
        found, instead = kind
        raise TextError(f"{name} must be UTF-8, but is {found}: {instead or 'give plain text'}")
    # If there is no byte order mark, every second byte of Western text is a NUL.
    halves = start[:1000:2].count(0), start[1:1000:2].count(0)
    if max(halves) > len(start[:1000]) // 4 and min(halves) < max(halves) // 4:
        raise TextError(f"{name} must be UTF-8, but is UTF-16: save it as UTF-8")
    _refuse_nul(start, 0, name)
    return bytearray(start)


def _refuse_nul(content: bytes, before: int, name: str) -> None:
    if (place := content.find(0)) >= 0:
        raise TextError(
            f"{name} must be text, but byte {before + place:,} is a NUL character: "
            "it is no text, or a damaged one"
        )
