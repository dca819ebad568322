"""The heartbeat of a server's worker: a number in the store that a thread counts up."""

import logging
import threading
import time

from wlm.runs.store import RunStore

BEAT_SECONDS = 5.0
START_SECONDS = 180.0  # how long a worker may take to its first heartbeat,
SILENT_SECONDS = 60.0  # and to each later one
STEP_SECONDS = 600.0  # a run whose next step takes longer hangs
SUFFIX = "/worker"

logger = logging.getLogger(__name__)


def worker_of(server: str) -> str:
    """Return the name for the heartbeat of a server's worker."""
    return server + SUFFIX


class Heartbeat(threading.Thread):
    """Beats while the process lives and, if a run is under way, while that run makes steps.

    It has a separate store, so that a store that waits for its database does not delay it.
    """

    def __init__(self, name: str, store: RunStore):
        super().__init__(name="heartbeat", daemon=True)
        self._name, self._store = name, store
        self._stepped: float | None = None  # when the run under way made its last step

    def step(self) -> None:
        """Record that a run begins or makes a step."""
        self._stepped = time.monotonic()

    def rest(self) -> None:
        """Record that no run is under way."""
        self._stepped = None

    def run(self) -> None:
        """Beat at once and then every `BEAT_SECONDS`."""
        while True:
            try:
                self.beat()
            except Exception:
                logger.exception("the heartbeat failed")
            time.sleep(BEAT_SECONDS)

    def beat(self) -> None:
        """Increase the number, unless the run under way hangs."""
        stepped = self._stepped
        if stepped is None or time.monotonic() - stepped < STEP_SECONDS:
            self._store.give_sign(self._name)


class Watch:
    """Tells whether a heartbeat has stopped, asked every few seconds.

    While the store accepts no heartbeat, nothing is known. If this process was itself suspended, it
    begins to watch again.
    """

    def __init__(self, name: str, store: RunStore):
        self._name, self._store = name, store
        self._first = self._beat = store.signs().get(name)
        self._since = self._looked = time.monotonic()

    @property
    def has_beaten(self) -> bool:
        """Whether a beat has come since the watch began."""
        return self._beat != self._first

    def has_stopped(self) -> bool:
        """Check the heartbeat; return whether the next beat is overdue for too long."""
        beat, now = self._store.signs().get(self._name), time.monotonic()
        suspended = now - self._looked > 3 * BEAT_SECONDS
        self._looked = now
        if beat is not None and beat != self._beat:
            self._beat, self._since = beat, now
        elif self._store.warning or suspended:
            self._since = now
        return now - self._since > (SILENT_SECONDS if self.has_beaten else START_SECONDS)
