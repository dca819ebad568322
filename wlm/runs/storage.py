"""Read and write rows of runs: in the database or, if that fails, in the spill.

If a run cannot be written to its database (disk full, read-only, gone), it is written to a spill
database instead, in memory or among temporary files, with a warning. Pages still show the run, and
it moves to the database as soon as the database accepts it.
"""

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import InternalError, OperationalError, SQLAlchemyError

from wlm.errors import StoreAwayError, StoreError
from wlm.hosting import hosting
from wlm.paths import database_url
from wlm.runs.database import RUNS, file_of, open_database, reason_of, shown_url

RETRY_SECONDS = 0.5
OVERWRITTEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")  # names of SQLite's errors

logger = logging.getLogger(__name__)


class Storage:
    """One database, by default the file of `wlm.paths.database_url`, and its spill.

    `spill_url` is the database for runs that the first database does not accept; processes that
    work together share it. A database that cannot be opened, or has another schema version, stays
    as it is and all runs spill: `warning` has the reason. All runs, including those under way, also
    spill if the database's file is deleted, replaced or overwritten meanwhile. `patience` is the
    number of seconds to try again if a database server does not answer.
    """

    def __init__(self, url: str | None = None, spill_url: str | None = None, patience: float = 0.0):
        self.url = url or database_url()
        self._patience = patience
        self._spill_url = spill_url
        self._spill: sa.Engine | None = None
        self._database: sa.Engine | None = None
        self._file: tuple[Path, int] | None = None  # an SQLite file and its inode when opened
        self._lost = False  # whether that file has been deleted, replaced or overwritten
        self._under_way: dict[str, dict] = {}  # rows seen here of runs that have not ended
        self._reason = ""  # why the database accepts no runs
        self._away = ""  # why it cannot be read now
        self._open()

    @property
    def warning(self) -> str:
        """The reason why runs are not kept; empty while they are. Strangers see no address."""
        where = "" if hosting().public else f" in {shown_url(self.url)}"
        return f"Runs are not kept{where}: {self._reason}" if self._reason else ""

    @property
    def spill_url(self) -> str:
        """The spill database's address. If none was given, it is a new SQLite file that ends with
        this process: in memory if the system has such a place, or else among temporary files."""
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
        """Move spilled runs to the database if it accepts runs again."""
        if self._opened() is None or (spill := self._spilled()) is None:
            return
        with spill.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # other processes wait to change a run
            for row in connection.execute(sa.select(RUNS)).mappings().all():
                if self._write(self._main, *_replacement({**row, "warning": ""})) is None:
                    break
                connection.execute(RUNS.delete().where(RUNS.c.id == row["id"]))
            connection.commit()

    @property
    def _main(self) -> sa.Engine | None:
        """The database, unless it could not be opened or its file is lost."""
        if self._database is not None and (reason := self._why_lost()):
            self._lose(reason)
        return self._database

    def _opened(self) -> sa.Engine | None:
        """Return the database; if it could not be opened before, try again."""
        if self._main is None and not self._lost:
            self._open()
        return self._database

    def _open(self) -> None:
        try:
            self._database = self._patiently(lambda: open_database(self.url))
            if path := file_of(self.url):
                self._file = path, path.stat().st_ino
            self._reason = ""
        except (SQLAlchemyError, OSError, StoreError) as error:
            self._reason = reason_of(error)

    def _why_lost(self) -> str:
        """Return why the file is no longer the database that was opened; empty while it is."""
        if self._file is None:
            return ""
        path, inode = self._file
        try:
            # Never open it: closing it would drop the locks that SQLite holds in this process.
            found = path.stat()
        except FileNotFoundError:
            return "the database file was deleted"
        except OSError:
            return ""  # SQLite reports the error when it reads
        if found.st_ino != inode:
            return "the database file was replaced"
        return "" if found.st_size else "the database file was emptied"

    def _lose(self, reason: str) -> None:
        """Leave a lost file alone until the next start, and spill the runs that are under way."""
        database, self._database, self._lost = self._database, None, True
        self._reason = f"{reason} while the server was running. Restart it to keep runs again"
        logger.error("%s: %s", shown_url(self.url), self._reason)
        for row in list(self._under_way.values()):
            # If the spill has the row, another process was first.
            if self._read(self._spilled(), row["id"]) is None:
                self._to_spill(row)
        if database is not None:
            database.dispose()

    def _write(self, engine: sa.Engine | None, *statements: sa.Executable) -> int | None:
        """Execute statements, all or none; return how many rows the last one changed, or None if
        that failed."""
        if engine is None:
            return None
        try:
            rows = self._patiently(lambda: _execute(engine, statements))
        except SQLAlchemyError as error:
            if engine is not self._spill:
                self._note_failure(error)
            return None
        if engine is self._database:
            self._reason = ""
        return rows

    def _note_failure(self, error: SQLAlchemyError) -> None:
        reason = reason_of(error)
        if getattr(getattr(error, "orig", None), "sqlite_errorname", "") in OVERWRITTEN:
            self._lose("the database file was overwritten")
        if not self._lost and reason != self._reason:
            self._reason = reason
            logger.error("%s: %s", shown_url(self.url), getattr(error, "orig", None) or error)

    def _to_spill(self, row: dict) -> None:
        row = {**row, "warning": self.warning or row["warning"]}
        try:
            if self._spill is None:
                self._spill = open_database(self.spill_url)
            _execute(self._spill, _replacement(row))
        except (SQLAlchemyError, OSError) as error:  # neither disk nor memory has space
            raise StoreAwayError(f"no run can be stored now: {reason_of(error)}") from None

    def _spilled(self) -> sa.Engine | None:
        """The spill database, if any process has made it."""
        if self._spill is None and self._spill_url is not None:
            made = Path(sa.make_url(self._spill_url).database or "").exists()
            with contextlib.suppress(SQLAlchemyError):  # writing reports that it cannot be read
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
            if engine is self._database:
                self._note_failure(error)
                self._away = reason_of(error)
            return []
        if engine is self._database:
            self._away = ""
        return rows

    def _patiently(self, act: Callable):
        """Use the database, and try again if its server does not answer."""
        end = time.monotonic() + self._patience
        while True:
            try:
                return act()
            # The database cannot be reached, is full, or accepts no writes now.
            except (OperationalError, InternalError):
                sqlite = self.url.startswith("sqlite")  # which has no server that may come back
                if sqlite or time.monotonic() >= end:
                    raise
                time.sleep(RETRY_SECONDS)


def _replacement(row: dict) -> tuple[sa.Executable, sa.Executable]:
    """Return the statements that write a run and replace its row, if there is one."""
    return RUNS.delete().where(RUNS.c.id == row["id"]), RUNS.insert().values(row)


def _execute(engine: sa.Engine, statements: tuple[sa.Executable, ...]) -> int:
    with engine.begin() as connection:
        for statement in statements:
            rows = connection.execute(statement).rowcount
    return rows


def _rows(engine: sa.Engine, query: sa.Select) -> list[dict]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
