"""What a check found."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wlm.errors import WLMError, defect

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well, what was found and, where it is not well, what to do
    about it; the last three in words."""

    subject: str
    well: bool
    found: str
    todo: str = ""


def found_by(subject: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a check finds; where it fails itself, that is a finding, too."""
    try:
        return list(look())
    except WLMError as error:
        return [Finding(subject, False, str(error), "put it right, and check again")]
    except Exception:
        logger.exception("the check of %s failed", subject)
        return [Finding(subject, False, defect("this check"), "report it with what stands above")]
