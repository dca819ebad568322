"""The store of runs: one row per run, the only channel between a page and a worker.

Where a run cannot be written to its database (disk full, read-only, gone), it is written to a
spill database instead, in memory or among temporary files, and says so: it still shows, but is
not kept.
"""

import os
import secrets
import socket
import tempfile
import time
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path

import platformdirs
import psutil
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from wlm.errors import StoreError

MOST_IMPORTED = 200  # of up to 5 MB each: visitors must not fill the disk
SCHEMA_VERSION = 3
ADDED = {2: ("visitor", "origin"), 3: ("sweep",)}  # columns, by the version that added them


class State(StrEnum):
    """Where a run is on its way; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by request, keeping what was measured
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its server went away

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


def new_id() -> str:
    """Return an id that cannot be guessed: who has it may see the run."""
    return secrets.token_urlsafe(12)


@dataclass(frozen=True)
class Run:
    """One run: what was asked (`spec`), how it stands (`stage`, `done`, `seconds_left`), what came
    of it (`result`, partial while it runs) and, in words, what went wrong (`message`).

    Times are seconds since 1970. `server` names the process that takes care of it. `warning` says
    why the run is not kept. `visitor` is who may delete it. `origin` is empty for a run measured
    here, else `imported` or `recorded`. `sweep` is the id of the sweep that it is a point of, if
    any; the sweep itself is a row of kind `sweep` that holds its settings and never changes.
    """

    kind: str
    spec: dict
    id: str = field(default_factory=new_id)
    state: State = State.QUEUED
    stage: str = ""
    done: float = 0.0
    seconds_left: float | None = None
    result: dict | None = None
    message: str = ""
    warning: str = ""
    stop_requested: bool = False
    server: str = ""
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    finished_at: float | None = None
    visitor: str = ""
    origin: str = ""
    sweep: str = ""


_metadata = sa.MetaData()
_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("stage", sa.String(200), nullable=False),
    sa.Column("done", sa.Float, nullable=False),
    sa.Column("seconds_left", sa.Float),
    sa.Column("result", sa.JSON),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("warning", sa.Text, nullable=False),
    sa.Column("stop_requested", sa.Boolean, nullable=False),
    sa.Column("server", sa.String(200), nullable=False, index=True),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("visitor", sa.String(64), nullable=False, server_default=""),
    sa.Column("origin", sa.String(16), nullable=False, server_default=""),
    sa.Column("sweep", sa.String(32), nullable=False, server_default=""),
)
_version = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, nullable=False))


class RunStore:
    """The runs in one database, by default the file of `default_database_url`.

    `spill_url` is where runs go that the database does not take; processes that work together
    share it. A database that cannot be opened, or is of another schema version, is left as it is
    and all runs spill: `warning` says why.
    """

    def __init__(self, url: str | None = None, spill_url: str | None = None):
        self.url = url or default_database_url()
        self._spill_url = spill_url
        self._spill: sa.Engine | None = None
        self._main: sa.Engine | None = None
        self._reason = ""  # why the database takes no runs
        try:
            self._main = _open(self.url)
        except SQLAlchemyError as error:
            self._reason = _reason(error)
        except OSError as error:
            self._reason = error.strerror or str(error)
        except StoreError as error:
            self._reason = str(error)

    @property
    def warning(self) -> str:
        """Why runs are not kept; empty while they are."""
        return f"Runs are not kept in {_shown(self.url)}: {self._reason}" if self._reason else ""

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
        if not self._write(self._main, _runs.insert().values(row)):
            self._to_spill(row)

    def update(self, run_id: str, **changes) -> None:
        """Change some fields of a run. Raises StoreError where there is no such run."""
        changes = {key: str(v) if isinstance(v, State) else v for key, v in changes.items()}
        statement = _runs.update().where(_runs.c.id == run_id).values(changes)
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

    def unfinished(self) -> list[Run]:
        """Return the queued and running runs, oldest first."""
        states = [str(state) for state in State if not state.final]
        query = sa.select(_runs).where(_runs.c.state.in_(states))
        rows = {row["id"]: row for row in self._fetch(self._main, query)}
        rows |= {row["id"]: row for row in self._fetch(self._spilled(), sa.select(_runs))}
        runs = [run for run in map(_from_row, rows.values()) if not run.state.final]
        return sorted(runs, key=lambda run: run.created_at)

    def list_runs(self, kind: str, limit: int = 200) -> list[Run]:
        """Return the latest runs of one kind, those that are not kept included, newest first.

        Without their results, which may be large: `get` returns a run with it.
        """
        light = [column for column in _runs.c if column is not _runs.c.result]
        query = sa.select(*light).where(_runs.c.kind == kind)
        query = query.order_by(_runs.c.created_at.desc(), _runs.c.id).limit(limit)
        rows = {row["id"]: row for row in self._fetch(self._main, query)}
        rows |= {row["id"]: row for row in self._fetch(self._spilled(), query)}
        runs = sorted(map(_from_row, rows.values()), key=lambda run: -run.created_at)
        return runs[:limit]

    def add_imported(self, run: Run) -> None:
        """Store a run of the origin `imported`. Raises StoreError where there are too many."""
        count = sa.select(sa.func.count()).select_from(_runs).where(_runs.c.origin == run.origin)
        for engine in (self._main, self._spilled()):
            found = self._fetch(engine, count.with_only_columns(sa.func.count().label("runs")))
            if found and found[0]["runs"] >= MOST_IMPORTED:
                raise StoreError(
                    f"at most {MOST_IMPORTED} imported runs are kept, and there are "
                    f"{found[0]['runs']}: delete one first"
                )
        self.create(run)

    def points_of(self, sweep_id: str) -> list[Run]:
        """Return the runs that belong to a sweep, oldest first."""
        query = sa.select(_runs).where(_runs.c.sweep == sweep_id)
        rows = {row["id"]: row for row in self._fetch(self._main, query)}
        rows |= {row["id"]: row for row in self._fetch(self._spilled(), query)}
        return sorted(map(_from_row, rows.values()), key=lambda run: run.created_at)

    def delete(self, run_id: str, visitor: str | None) -> None:
        """Delete a finished run of this visitor, or of anyone where visitor is None.

        Raises StoreError where there is no such run, or it is under way or another visitor's.
        """
        run = self.get(run_id)
        if visitor is not None and run.visitor != visitor:
            raise StoreError(f"run {run_id!r} can be deleted only by the visitor who made it")
        if not run.state.final:
            raise StoreError(f"a run must have ended to be deleted, {run_id!r} is {run.state}")
        statement = _runs.delete().where(_runs.c.id == run_id)
        spilled, kept = self._read(self._spilled(), run_id), self._read(self._main, run_id)
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
            self._reason = _reason(error)
            return False
        if engine is self._main:
            self._reason = ""
        return True

    def _to_spill(self, row: dict) -> None:
        if self._spill is None:
            self._spill = _open(self.spill_url)
        row = {**row, "warning": self.warning or row["warning"]}
        with self._spill.begin() as connection:
            connection.execute(_runs.delete().where(_runs.c.id == row["id"]))
            connection.execute(_runs.insert().values(row))

    def _spilled(self) -> sa.Engine | None:
        """The spill database, if any process has made it."""
        if self._spill is None and self._spill_url is not None:
            made = Path(sa.make_url(self._spill_url).database or "").exists()
            self._spill = _open(self._spill_url) if made else None
        return self._spill

    def _read(self, engine: sa.Engine | None, run_id: str) -> dict | None:
        return next(iter(self._fetch(engine, sa.select(_runs).where(_runs.c.id == run_id))), None)

    def _fetch(self, engine: sa.Engine | None, query: sa.Select) -> list[dict]:
        if engine is None:
            return []
        try:
            with engine.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except SQLAlchemyError as error:
            if engine is self._main:
                self._reason = _reason(error)
            return []


def finished_run(spec, result: dict, started_at: float, state: State = State.DONE) -> Run:
    """Return a run that was measured outside the queue, and has just ended."""
    return Run(
        spec.kind,
        spec.to_json(),
        state=state,
        done=1.0,
        result=result,
        created_at=started_at,
        started_at=started_at,
        finished_at=time.time(),
    )


def default_database_url() -> str:
    """Return WLM_DATABASE_URL, or the SQLite file in the user's data directory."""
    if url := os.environ.get("WLM_DATABASE_URL"):
        return url
    return f"sqlite:///{Path(platformdirs.user_data_dir('wlm', appauthor=False)) / 'runs.sqlite'}"


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


def _open(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
        engine = sa.create_engine(address, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise StoreError(
            f"a database's address is written such as sqlite:////folder/runs.sqlite: {error}"
        ) from None
    if address.get_backend_name() == "sqlite":
        if address.database and not address.database.startswith((":memory:", "file:")):
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        sa.event.listen(engine, "connect", _configure_sqlite)
    with engine.connect() as connection:
        version = _stored_version(connection)  # without a lock: it may be read-only
    if version != SCHEMA_VERSION:
        with engine.begin() as connection:
            _bring_up_to_date(connection)
    return engine


def _stored_version(connection: sa.Connection) -> int | None:
    """The schema's version, None in a database without tables; it stays locked until commit."""
    if not sa.inspect(connection).has_table(_version.name):
        return None
    return connection.execute(sa.select(_version.c.version).with_for_update()).scalar()


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Make the tables, or migrate those of an older version; raise StoreError for a newer one."""
    if connection.dialect.name == "sqlite":
        # Its driver would commit each ALTER by itself, and two processes might both begin.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    version = _stored_version(connection)
    if version is not None and not 1 <= version <= SCHEMA_VERSION:
        raise StoreError(
            f"it is of schema version {version}, and this wlm reads versions 1 to "
            f"{SCHEMA_VERSION}; it is left as it is, set WLM_DATABASE_URL to another"
        )
    _metadata.create_all(connection)
    if version is None:
        connection.execute(_version.insert().values(version=SCHEMA_VERSION))
    elif version < SCHEMA_VERSION:
        added = [name for since, names in ADDED.items() if since > version for name in names]
        for name in added:
            definition = sa.schema.CreateColumn(_runs.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {_runs.name} ADD COLUMN {definition}")
        connection.execute(_version.update().values(version=SCHEMA_VERSION))


def _configure_sqlite(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    # Readers and a writer, server and worker, do not wait for each other.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _shown(url: str) -> str:
    """A database's address without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url[:20])


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _to_row(run: Run) -> dict:
    return {each.name: getattr(run, each.name) for each in fields(Run)} | {"state": str(run.state)}


def _from_row(row: dict) -> Run:
    run = Run(**row)
    return replace(run, state=State(run.state))
