"""The server's one fetch at a time, for all visitors, in a separate thread."""

import logging
from threading import Event, Lock, Thread

from wlm.catalog.fetch import fetch
from wlm.errors import FetchError, WLMError, defect
from wlm.hosting import hosting
from wlm.progress import Progress

logger = logging.getLogger(__name__)


class _StopFetch(Exception):  # noqa: N818 it is no error
    """Ends a fetch from its `report`."""


class BackgroundFetch:
    """Fetches one data set at a time. `what` is the latest, `owner` its visitor, `error` the reason
    if it failed, `ended` the number of fetches that have ended."""

    def __init__(self):
        self.what, self.error, self.progress = "", "", Progress("Starting", 0.0)
        self.owner = ""
        self.ended = 0
        self._lock, self._stop, self._thread = Lock(), Event(), None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self.running and self._stop.is_set()

    def start(self, what: str, owner: str = "") -> None:
        """Start a fetch. Raises FetchError while another fetch runs, and SettingError if visitors
        may not fetch."""
        hosting().check_allowed("fetching")
        with self._lock:
            if self.running:
                raise FetchError(f"one fetch at a time: {self.what} is under way")
            self.what, self.error, self.progress = what, "", Progress("Starting", 0.0)
            self.owner = owner
            self._stop.clear()
            self._thread = Thread(target=self._fetch, name="fetch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the fetch at its next byte and keep nothing. Raises SettingError if visitors may not
        fetch."""
        hosting().check_allowed("fetching")
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until the fetch has ended, at most for a number of seconds."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _fetch(self) -> None:
        try:
            fetch(self.what, report=self._report)
        except _StopFetch:
            self.error = f"fetching {self.what} was stopped: nothing of it is kept"
        except WLMError as error:
            self.error = str(error)
        except Exception:
            logger.exception("a fetch failed")
            self.error = defect("fetching")
        finally:
            self.ended += 1

    def _report(self, progress: Progress) -> None:
        self.progress = progress
        if self._stop.is_set():
            raise _StopFetch
