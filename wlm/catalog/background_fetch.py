"""The one fetch that a server has under way, for all its visitors, in a thread of its own."""

import logging
from threading import Event, Lock, Thread

from wlm.catalog.fetch import fetch
from wlm.errors import FetchError, WLMError, defect
from wlm.hosting import hosting
from wlm.progress import Progress

logger = logging.getLogger(__name__)


class _StopFetch(Exception):  # noqa: N818 it is no error
    """Ends a fetch from within its own report."""


class BackgroundFetch:
    """Fetches one thing at a time; `what` is the latest, `owner` who asked for it, `error` how it
    failed, if it did, `ended` how many have ended."""

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
        """Begin to fetch. Raises FetchError while another fetch is under way, and SettingError
        where visitors may not fetch."""
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
        """End the fetch at its next byte; nothing of it is kept. Raises as `start`."""
        hosting().check_allowed("fetching")
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Return when the fetch has ended, or after so long."""
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
