"""The finding of a check."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wlm.errors import WLMError, defect

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """The subject of a check, whether it is well, and in words the finding and, if it is not well,
    the remedy."""

    subject: str
    well: bool
    found: str
    todo: str = ""


def found_by(subject: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return the findings of a check; an error of the check itself is a finding, too."""
    try:
        return list(look())
    except WLMError as error:
        return [Finding(subject, False, str(error), "fix it, and check again")]
    except Exception:
        logger.exception("the check of %s failed", subject)
        return [Finding(subject, False, defect("this check"), "report it with the log above")]
