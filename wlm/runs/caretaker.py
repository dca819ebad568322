"""The caretaker of a server: stores spilled runs, marks the runs of servers that are gone, and
removes old runs, rooms and uploads."""

import logging
import threading
import time
from collections.abc import Callable

from wlm.hosting import hosting
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore

LOOK_SECONDS = 10.0
GONE_SECONDS = 60.0  # without a sign of life: a server of another machine counts as dead
CLEAN_SECONDS = 3600.0
DAY = 86_400.0
CLOCK_SECONDS = 60.0  # by how much the clock may jump within `CLEAN_SECONDS` and be believed

logger = logging.getLogger(__name__)


class Caretaker(threading.Thread):
    """A thread that ends with the process. It alone removes old runs; `removers` remove old rooms
    and uploads."""

    def __init__(self, store: RunStore, *removers: Callable[[], None]):
        super().__init__(name="caretaker", daemon=True)
        self._removers = removers
        self._store, self._me = store, this_server()
        # By server: its last sign of life, and when that sign was first seen.
        self._seen: dict[str, tuple[int, float]] = {}
        # The time of the last cleaning: by the clock, which can be set, and by a timer.
        self._cleaned: tuple[float, float] | None = None

    def run(self) -> None:
        """Look after the store, first at once and then at intervals."""
        while True:
            try:
                self.look()
            except Exception:
                logger.exception("the caretaker failed")
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Give a sign of life, store spilled runs and mark the runs of servers that are gone as
        interrupted. Every hour, remove old runs, rooms and uploads."""
        self._store.mend()
        self._store.give_sign(self._me)
        self._store.interrupt_orphans(self._gone())
        self._clean()

    def _gone(self) -> list[str]:
        """Return the servers, on any machine, without a sign of life for `GONE_SECONDS`."""
        now, signs = time.monotonic(), self._store.signs()
        self._seen = {
            server: (sign, self._seen[server][1])
            if self._seen.get(server, (None,))[0] == sign
            else (sign, now)
            for server, sign in signs.items()
        }
        gone = [name for name, (_, since) in self._seen.items() if now - since > GONE_SECONDS]
        for server in gone:
            self._store.forget_server(server)
        return gone

    def _clean(self) -> None:
        """Remove old runs, rooms and uploads, unless the clock has just been set: if it is set a
        month ahead by mistake, a month's runs must not be lost."""
        now = time.time(), time.monotonic()
        if self._cleaned and now[1] - self._cleaned[1] < CLEAN_SECONDS:
            return
        before, self._cleaned = self._cleaned, now
        if before is None or abs((now[0] - before[0]) - (now[1] - before[1])) > CLOCK_SECONDS:
            return
        for remove in self._removers:
            try:
                remove()
            except Exception:
                logger.exception("the caretaker cannot remove old rooms or uploads")
        if hosting().public:
            self._store.delete_older(now[0] - hosting().run_days * DAY)
