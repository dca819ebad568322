"""The log of events for tools: one line of JSON per event on standard error.

No line holds a text, an address or a visitor's whole name.
"""

import contextlib
import json
import sys
from datetime import UTC, datetime

from wlm.hosting import hosting

SHORT = 8  # characters of a visitor's name: too few to act as the visitor


def note(event: str, visitor: str = "", **facts) -> None:
    """Log an event and its facts that are not None, if the server is public or WLM_LOG is set."""
    if not (hosting().public or hosting().log):
        return
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"at": at, "event": event, "visitor": visitor[:SHORT] or None, **facts}
    line = {
        key: round(value, 3) if isinstance(value, float) else value
        for key, value in line.items()
        if value is not None
    }
    with contextlib.suppress(OSError, ValueError):  # the disk is full, or the reader has gone
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
