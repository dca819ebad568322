"""What happened, a line of JSON each on standard error, for tools that read logs.

No line holds a text, an address or a visitor's whole name.
"""

import contextlib
import json
import sys
from datetime import UTC, datetime

from wlm.hosting import hosting

SHORT = 8  # signs of a visitor's name: enough to follow one, too few to be one


def note(event: str, visitor: str = "", **facts) -> None:
    """Log an event and its facts, those that are None left out: where strangers come, or WLM_LOG
    asks for it."""
    if not (hosting().public or hosting().log):
        return
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"at": at, "event": event, "visitor": visitor[:SHORT] or None, **facts}
    line = {
        key: round(value, 3) if isinstance(value, float) else value
        for key, value in line.items()
        if value is not None
    }
    with contextlib.suppress(OSError, ValueError):  # the log's disk is full, or nobody reads it
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
