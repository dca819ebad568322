"""Files of plain text, read whole."""

import codecs
from pathlib import Path

from wlm.errors import TextError
from wlm.files import why_unreadable

MOST_BYTES = 1_000_000_000  # WikiText-103 has 540 million
_AT_ONCE = 1_000_000  # bytes: a file of holes is refused by its first ones
_BEGINNINGS = {  # the first bytes, what that is, and what to do instead
    codecs.BOM_UTF32_LE: ("UTF-32", "save it as UTF-8"),
    codecs.BOM_UTF16_LE: ("UTF-16", "save it as UTF-8"),
    codecs.BOM_UTF16_BE: ("UTF-16", "save it as UTF-8"),
    b"PK\x03\x04": ("a zip archive, such as a PyTorch file", "give plain text"),
    b"\x80\x02": ("a pickle, which wlm never unpickles", "give plain text"),
    b"\x80\x03": ("a pickle, which wlm never unpickles", "give plain text"),
    b"\x80\x04": ("a pickle, which wlm never unpickles", "give plain text"),
    b"\x80\x05": ("a pickle, which wlm never unpickles", "give plain text"),
    b"\x1f\x8b": ("compressed by gzip", "give the file inside"),
    b"BZh": ("compressed by bzip2", "give the file inside"),
    b"\xfd7zXZ": ("compressed by xz", "give the file inside"),
    b"%PDF-": ("a PDF file", "save its text alone"),
}


def read_utf8(path: Path, what: str, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file, which messages call a `what`.

    Raises TextError where it is none, is too large, in another encoding, or holds NUL characters.
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
    for beginning, (found, instead) in _BEGINNINGS.items():
        if start.startswith(beginning):
            raise TextError(f"{name} must be UTF-8, but is {found}: {instead}")
    # Without a byte order mark, every second byte of Western text is a NUL.
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
