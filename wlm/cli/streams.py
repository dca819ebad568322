"""Standard output and standard error that take every text and end in no traceback."""

import codecs
import os
import sys
from contextlib import suppress
from typing import TextIO

from wlm.errors import WLMError

# Replacements for characters that a code page lacks, as Windows' code pages do.
PLAIN = {
    **{"✓": "ok", "✗": "x", "→": "->", "▸": ">", "◂": "<", "│": "|", "─": "-"},
    **{"–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "·": "-", "±": "+/-"},
    **{"“": '"', "”": '"', "‘": "'", "’": "'"},
}
ENCODING_ERRORS = "wlm-plain"


def prepare_streams() -> None:
    """Make standard output and standard error accept every text, also if the caller closed one or
    set a code page."""
    codecs.register_error(ENCODING_ERRORS, _write_plain)
    # In the order of file descriptors: the next file that is opened takes the lowest free one, and
    # that must not be a database.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        if reconfigure := getattr(getattr(sys, name), "reconfigure", None):
            reconfigure(errors=ENCODING_ERRORS)


def _write_plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in text), error.end


def flush() -> None:
    """Flush both streams. Raises WLMError if standard output cannot be written."""
    try:
        sys.stderr.flush()
    except OSError:
        close(sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritten(error) from None


def close(stream: TextIO) -> None:
    """Discard a stream's buffer and everything that is printed to it later."""
    with suppress(OSError, ValueError):  # a stream without a file descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def unwritten(error: OSError) -> WLMError:
    """Discard standard output and return the error that says why it cannot be written."""
    close(sys.stdout)  # or Python reports the same error again when it ends
    return WLMError(f"standard output cannot be written: {error.strerror or error}")
