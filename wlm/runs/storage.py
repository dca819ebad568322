"""Where rows of runs are written and read: the database, and the spill for what it does not take.

Where a run cannot be written to its database (disk full, read-only, gone), it is written to a
spill database instead, in memory or among temporary files, and says so: it still shows, and is
kept as soon as the database takes it.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import InternalError, OperationalError, SQLAlchemyError

from wlm.errors import StoreAwayError, StoreError
from wlm.paths import database_url
from wlm.runs.database import RUNS, open_database, reason_of, shown_url

RETRY_SECONDS = 0.5


class Storage:
    """One database, by default the file of `wlm.paths.database_url`, and its spill.

    `spill_url` is where runs go that the database does not take; processes that work together
    share it. A database that cannot be opened, or is of another schema version, is left as it is
    and all runs spill: `warning` says why. `patience`: for how many seconds to try again where a
    database server does not answer.
    """

    def __init__(self, url: str | None = None, spill_url: str | None = None, patience: float = 0.0):
        self.url = url or database_url()
        self._patience = patience
        self._spill_url = spill_url
        self._spill: sa.Engine | None = None
        self._main: sa.Engine | None = None
        self._reason = ""  # why the database takes no runs
        self._away = ""  # why it cannot be read now
        self._open()

    @property
    def warning(self) -> str:
        """Why runs are not kept; empty while they are."""
        return f"Runs are not kept in {shown_url(self.url)}: {self._reason}" if self._reason else ""

    @property
    def spill_url(self) -> str:
        """The spill database's address; without one given, a new SQLite file that ends with this
        process, in memory where the system has such a place, else among temporary files."""
        if self._spill_url is None:
            memory = Path("/dev/shm")
            parent = memory if os.access(memory, os.W_OK) else None
            self._spill_folder = tempfile.TemporaryDirectory(prefix="wlm-runs-", dir=parent)
            self._spill_url = f"sqlite:///{Path(self._spill_folder.name) / 'runs.sqlite'}"
        return self._spill_url

    def is_away(self) -> bool:
        """Tell whether the database cannot be read now."""
        self._fetch(self._main, sa.select(RUNS.c.id).limit(1))
        return bool(self._away)

    def mend(self) -> None:
        """Where the database takes runs again, store those in it that had to be spilled."""
        if self._opened() is None or (spill := self._spilled()) is None:
            return
        with spill.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # who changes a run waits
            for row in connection.execute(sa.select(RUNS)).mappings().all():
                if not self._put({**row, "warning": ""}):
                    break
                connection.execute(RUNS.delete().where(RUNS.c.id == row["id"]))
            connection.commit()

    def _opened(self) -> sa.Engine | None:
        """The database; one that could not be opened before is tried again."""
        if self._main is None:
            self._open()
        return self._main

    def _open(self) -> None:
        try:
            self._main = self._patiently(lambda: open_database(self.url))
            self._reason = ""
        except SQLAlchemyError as error:
            self._reason = reason_of(error)
        except OSError as error:
            self._reason = error.strerror or str(error)
        except StoreError as error:
            self._reason = str(error)

    def _write(self, engine: sa.Engine | None, *statements: sa.Executable) -> bool:
        """Execute statements, all or none, and tell whether that was done."""
        if engine is None:
            return False
        try:
            self._patiently(lambda: _execute(engine, statements))
        except SQLAlchemyError as error:
            self._reason = reason_of(error)
            return False
        if engine is self._main:
            self._reason = ""
        return True

    def _put(self, row: dict) -> bool:
        """Write a run in place of what the database has of it."""
        old = RUNS.delete().where(RUNS.c.id == row["id"])
        return self._write(self._main, old, RUNS.insert().values(row))

    def _to_spill(self, row: dict) -> None:
        row = {**row, "warning": self.warning or row["warning"]}
        try:
            if self._spill is None:
                self._spill = open_database(self.spill_url)
            old = RUNS.delete().where(RUNS.c.id == row["id"])
            _execute(self._spill, (old, RUNS.insert().values(row)))
        except (SQLAlchemyError, OSError) as error:  # neither disk nor memory takes anything
            reason = reason_of(error) if isinstance(error, SQLAlchemyError) else error.strerror
            raise StoreAwayError(f"no run can be stored now: {reason}") from None

    def _spilled(self) -> sa.Engine | None:
        """The spill database, if any process has made it."""
        if self._spill is None and self._spill_url is not None:
            made = Path(sa.make_url(self._spill_url).database or "").exists()
            with contextlib.suppress(SQLAlchemyError):  # that it cannot be read is said on writing
                self._spill = open_database(self._spill_url) if made else None
        return self._spill

    def _read(self, engine: sa.Engine | None, run_id: str, columns=RUNS.c) -> dict | None:
        query = sa.select(*columns).where(RUNS.c.id == run_id)
        return next(iter(self._fetch(engine, query)), None)

    def _fetch(self, engine: sa.Engine | None, query: sa.Select) -> list[dict]:
        if engine is None:
            return []
        try:
            rows = self._patiently(lambda: _rows(engine, query))
        except SQLAlchemyError as error:
            if engine is self._main:
                self._reason = self._away = reason_of(error)
            return []
        if engine is self._main:
            self._away = ""
        return rows

    def _patiently(self, act: Callable):
        """Do something with the database, again where its server does not answer."""
        end = time.monotonic() + self._patience
        while True:
            try:
                return act()
            except (OperationalError, InternalError):  # it is away, full, or takes no writes now
                sqlite = self.url.startswith("sqlite")  # which has no server that may come back
                if sqlite or time.monotonic() >= end:
                    raise
                time.sleep(RETRY_SECONDS)


def _execute(engine: sa.Engine, statements: tuple[sa.Executable, ...]) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def _rows(engine: sa.Engine, query: sa.Select) -> list[dict]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
