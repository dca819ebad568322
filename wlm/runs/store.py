"""The store of runs: one row per run, the only channel between a page and a worker.

Where a run cannot be written to its database (disk full, read-only, gone), it is written to a
spill database instead, in memory or among temporary files, and says so: it still shows, but is
not kept.
"""

import os
import socket
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wlm.errors import StoreError
from wlm.places import database_url
from wlm.runs.database import RUNS, open_database, reason_of, shown_url
from wlm.runs.run import Run, State

LIGHT = [column for column in RUNS.c if column is not RUNS.c.result]  # a row without its blocks
MOST_IMPORTED = 200  # of up to 5 MB each: visitors must not fill the disk


class RunStore:
    """The runs in one database, by default the file of `wlm.places.database_url`.

    `spill_url` is where runs go that the database does not take; processes that work together
    share it. A database that cannot be opened, or is of another schema version, is left as it is
    and all runs spill: `warning` says why.
    """

    def __init__(self, url: str | None = None, spill_url: str | None = None):
        self.url = url or database_url()
        self._spill_url = spill_url
        self._spill: sa.Engine | None = None
        self._main: sa.Engine | None = None
        self._reason = ""  # why the database takes no runs
        try:
            self._main = open_database(self.url)
        except SQLAlchemyError as error:
            self._reason = reason_of(error)
        except OSError as error:
            self._reason = error.strerror or str(error)
        except StoreError as error:
            self._reason = str(error)

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

    def create(self, run: Run) -> None:
        """Store a new run."""
        row = _to_row(run)
        if not self._write(self._main, RUNS.insert().values(row)):
            self._to_spill(row)

    def update(self, run_id: str, **changes) -> None:
        """Change some fields of a run. Raises StoreError where there is no such run."""
        changes = {key: str(v) if isinstance(v, State) else v for key, v in changes.items()}
        statement = RUNS.update().where(RUNS.c.id == run_id).values(changes)
        spilled = self._read(self._spilled(), run_id)
        if spilled is None and self._write(self._main, statement):
            return
        row = spilled or self._read(self._main, run_id)
        if row is None:
            raise StoreError(f"there is no run {run_id!r}")
        self._to_spill({**row, **changes})

    def get(self, run_id: str) -> Run:
        """Return a run as it stands. Raises StoreError where there is no such run."""
        row = self._read(self._spilled(), run_id) or self._read(self._main, run_id)
        if row is None:
            raise StoreError(f"there is no run {run_id!r}")
        return _from_row(row)

    def glance(self, run_id: str) -> Run:
        """Return a run as it stands, without its result. Raises StoreError as `get`."""
        row = self._read(self._spilled(), run_id, LIGHT) or self._read(self._main, run_id, LIGHT)
        if row is None:
            raise StoreError(f"there is no run {run_id!r}")
        return _from_row(row)

    def unfinished(self) -> list[Run]:
        """Return the queued and running runs without their results, oldest first."""
        states = [str(state) for state in State if not state.final]
        query = sa.select(*LIGHT).where(RUNS.c.state.in_(states))
        # One that was queued when its database failed goes on in the spill: ask for that one, too.
        return [run for run in self._select(query, sa.select(*LIGHT)) if not run.state.final]

    def list_runs(self, kind: str, limit: int = 200, *, points: bool = True) -> list[Run]:
        """Return the latest runs of one kind, with or without the points of sweeps, those that are
        not kept included, newest first.

        Without their results, which may be large: `get` returns a run with it.
        """
        query = sa.select(*LIGHT).where(RUNS.c.kind == kind)
        if not points:
            query = query.where(RUNS.c.sweep == "")
        query = query.order_by(RUNS.c.created_at.desc(), RUNS.c.id).limit(limit)
        return self._select(query)[::-1][:limit]

    def add_imported(self, run: Run) -> None:
        """Store a run of the origin `imported`. Raises StoreError where there are too many."""
        count = sa.select(sa.func.count()).select_from(RUNS).where(RUNS.c.origin == run.origin)
        for engine in (self._main, self._spilled()):
            found = self._fetch(engine, count.with_only_columns(sa.func.count().label("runs")))
            if found and found[0]["runs"] >= MOST_IMPORTED:
                raise StoreError(
                    f"at most {MOST_IMPORTED} imported runs are kept, and there are "
                    f"{found[0]['runs']}: delete one first"
                )
        self.create(run)

    def points_of(self, sweep_id: str, *, results: bool = True) -> list[Run]:
        """Return the runs that belong to a sweep, with or without their results, oldest first."""
        return self._select(
            sa.select(*[RUNS] if results else LIGHT).where(RUNS.c.sweep == sweep_id)
        )

    def delete(self, run_id: str, visitor: str | None) -> None:
        """Delete a finished run of this visitor, or of anyone where visitor is None.

        Raises StoreError where there is no such run, or it is under way or another visitor's.
        """
        run = self.glance(run_id)
        if visitor is not None and run.visitor != visitor:
            raise StoreError(f"run {run_id!r} can be deleted only by the visitor who made it")
        if not run.state.final:
            raise StoreError(f"a run must have ended to be deleted, {run_id!r} is {run.state}")
        statement = RUNS.delete().where(RUNS.c.id == run_id)
        spilled, kept = (self._read(each, run_id, LIGHT) for each in (self._spilled(), self._main))
        if kept and not self._write(self._main, statement):
            raise StoreError(f"run {run_id!r} cannot be deleted: {self._reason}")
        if spilled:
            self._write(self._spill, statement)

    def interrupt_orphans(self) -> list[str]:
        """Mark the unfinished runs of dead servers on this host as interrupted; return their ids.

        Runs of other hosts are left alone: whether their server lives cannot be known here.
        """
        orphans = [run.id for run in self.unfinished() if _is_dead(run.server)]
        for run_id in orphans:
            self.update(
                run_id,
                state=State.INTERRUPTED,
                message="The server stopped while this run was waiting or under way.",
                finished_at=time.time(),
            )
        return orphans

    def _write(self, engine: sa.Engine | None, statement: sa.Executable) -> bool:
        if engine is None:
            return False
        try:
            with engine.begin() as connection:
                connection.execute(statement)
        except SQLAlchemyError as error:
            self._reason = reason_of(error)
            return False
        if engine is self._main:
            self._reason = ""
        return True

    def _to_spill(self, row: dict) -> None:
        if self._spill is None:
            self._spill = open_database(self.spill_url)
        row = {**row, "warning": self.warning or row["warning"]}
        with self._spill.begin() as connection:
            connection.execute(RUNS.delete().where(RUNS.c.id == row["id"]))
            connection.execute(RUNS.insert().values(row))

    def _spilled(self) -> sa.Engine | None:
        """The spill database, if any process has made it."""
        if self._spill is None and self._spill_url is not None:
            made = Path(sa.make_url(self._spill_url).database or "").exists()
            self._spill = open_database(self._spill_url) if made else None
        return self._spill

    def _select(self, query: sa.Select, spilled: sa.Select | None = None) -> list[Run]:
        """The runs that a query finds, oldest first; a spilled one is newer than its kept row."""
        rows = {row["id"]: row for row in self._fetch(self._main, query)}
        both = query if spilled is None else spilled
        rows |= {row["id"]: row for row in self._fetch(self._spilled(), both)}
        return sorted(map(_from_row, rows.values()), key=lambda run: run.created_at)

    def _read(self, engine: sa.Engine | None, run_id: str, columns=RUNS.c) -> dict | None:
        query = sa.select(*columns).where(RUNS.c.id == run_id)
        return next(iter(self._fetch(engine, query)), None)

    def _fetch(self, engine: sa.Engine | None, query: sa.Select) -> list[dict]:
        if engine is None:
            return []
        try:
            with engine.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except SQLAlchemyError as error:
            if engine is self._main:
                self._reason = reason_of(error)
            return []


def this_server() -> str:
    """Name this process so that it can be told dead from alive: host, process id, start time."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def _is_dead(server: str) -> bool:
    host, _, process = server.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        started = psutil.Process(int(process)).create_time()
    except (psutil.Error, ValueError):
        return True
    return f"{started:.2f}" != server.rpartition(":")[2]


def _to_row(run: Run) -> dict:
    return {each.name: getattr(run, each.name) for each in fields(Run)} | {"state": str(run.state)}


def _from_row(row: dict) -> Run:
    run = Run(**row)
    return replace(run, state=State(run.state))
