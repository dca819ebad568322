"""Fetching WikiText-2 and the tutorial's weights into `wlm.paths.data_folder()`.

Files are written to a temporary folder, verified, and then moved into place at once.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread

from wlm.catalog.download import TIMEOUT_S, Source, parse_origin
from wlm.catalog.tutorial_weights import TUTORIAL_WEIGHTS, get_tutorial_weights, weights_bytes
from wlm.catalog.wikitext2 import WIKITEXT2, get_wikitext2, verify_wikitext2, wikitext2_bytes
from wlm.errors import CheckpointError, FetchError, WLMError, defect
from wlm.files import remove_abandoned
from wlm.hosting import hosting
from wlm.paths import data_folder
from wlm.progress import Progress
from wlm.weights.checkpoint import checked_card

PLACES = {WIKITEXT2: f"texts/{WIKITEXT2}", TUTORIAL_WEIGHTS: f"models/{TUTORIAL_WEIGHTS}"}
RECORD = "fetched.json"
FETCHING = ".fetching-"  # how folders begin that a fetch writes to
WHAT_TO_DO = (
    "Nothing of it is kept. Try again, or give another source, a URL or a folder with the files: "
    "--from, or the variable WLM_MIRROR"
)

logger = logging.getLogger(__name__)


def fetch(
    what: str,
    source: str | None = None,
    to: str | Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Fetch `wikitext-2` or `tutorial-weights` unless it is here, and return its folder.

    `source` is a URL or a folder with the published files, by default the variable WLM_MIRROR,
    else the publishers' servers. `to` replaces the data folder. The weights need WikiText-2 for
    their vocabulary, so it is fetched first. `report` gets the progress, and may raise to stop.

    Raises FetchError, and then changes nothing.
    """
    if what not in PLACES:
        raise FetchError(f"what to fetch must be one of {', '.join(PLACES)}, got {what!r}")
    data = Path(to) if to else data_folder()
    place, corpus = data / PLACES[what], data / PLACES[WIKITEXT2]
    if is_here(what, data):
        return place
    given = source or os.environ.get("WLM_MIRROR")
    try:
        files = Source(parse_origin(given) if given else None, report, timeout_s)
        with _workshop(data) as workshop:
            if not is_here(WIKITEXT2, data):
                get_wikitext2(files, workshop / WIKITEXT2)
                _put(workshop / WIKITEXT2, corpus)
            if what == TUTORIAL_WEIGHTS:
                get_tutorial_weights(files, workshop / what, corpus, data / RECORD)
                _put(workshop / what, place)
    except FetchError as error:
        raise FetchError(f"fetching {what} failed: {error}. {WHAT_TO_DO}") from None
    return place


def is_here(what: str, data: Path | None = None) -> bool:
    """Tell whether something was fetched and is undamaged."""
    place = (data or data_folder()) / PLACES[what]
    try:
        checked_card(place) if what == TUTORIAL_WEIGHTS else verify_wikitext2(place)
        return True
    except (OSError, CheckpointError, FetchError):
        return False


def fetched_bytes(what: str) -> int:
    """Return about how many bytes a fetch reads; for the weights, without WikiText-2."""
    return wikitext2_bytes() if what == WIKITEXT2 else weights_bytes()


@contextmanager
def _workshop(data: Path) -> Iterator[Path]:
    """Make a temporary folder in the data folder, and remove it at the end."""
    made = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        remove_abandoned(data, f"{FETCHING}*")
        with tempfile.TemporaryDirectory(dir=data, prefix=FETCHING) as folder:
            yield Path(folder)
    except OSError as error:
        raise FetchError(f"{str(data)!r} cannot be written: {error.strerror or error}") from None
    finally:
        if made:
            with suppress(OSError):  # not empty: the fetch came through
                data.rmdir()


def _put(new: Path, place: Path) -> None:
    """Move a folder to its place, instead of a damaged one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(new.with_name(f"damaged-{new.name}"))
    new.rename(place)


class _StopFetch(Exception):  # noqa: N818 it is no error
    """Ends a fetch from its `report`."""


class BackgroundFetch:
    """The server's one fetch at a time, for all visitors, in a separate thread.

    `what` is the latest, `owner` its visitor, `error` the reason if it failed, `ended` the number
    of fetches that have ended.
    """

    def __init__(self):
        self.what, self.owner, self.error = "", "", ""
        self.progress = Progress("Starting", 0.0)
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
            self.what, self.owner, self.error = what, owner, ""
            self.progress = Progress("Starting", 0.0)
            self._stop.clear()
            self._thread = Thread(target=self._fetch, name="fetch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the fetch at its next byte and keep nothing. Raises SettingError if visitors may not
        fetch."""
        hosting().check_allowed("fetching")
        self._stop.set()

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
