"""The database of runs: its tables, opening it, and migrating an older one."""

import sqlite3
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from wlm.errors import StoreError, first_line
from wlm.hosting import hosting
from wlm.runs.run import State

SCHEMA_VERSION = 5  # the last one added the indices on visitor, origin and sweep
CONNECT_SECONDS = 5  # to a database server: pages wait for it
LOCK = 0x776C6D  # the number of our advisory lock in PostgreSQL
EXAMPLES = "sqlite:////folder/runs.sqlite or postgresql://user:password@host/database"
ADDED = {2: ("visitor", "origin"), 3: ("sweep",)}  # columns, by the version that added them


def words_as_text(words: type[StrEnum]) -> sa.Enum:
    """Return the type of a column that stores one of these words as text."""
    values = [str(word) for word in words]
    return sa.Enum(words, native_enum=False, length=16, values_callable=lambda _: values)


METADATA = sa.MetaData()
RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("state", words_as_text(State), nullable=False, index=True),
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
    sa.Column("visitor", sa.String(64), nullable=False, server_default="", index=True),
    sa.Column("origin", sa.String(16), nullable=False, server_default="", index=True),
    sa.Column("sweep", sa.String(32), nullable=False, server_default="", index=True),
)
# Since version 4: each server's last sign of life, a number that it counts up.
SERVERS = sa.Table(
    "servers",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("sign", sa.Integer, nullable=False),
)
VERSION = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, nullable=False))


def open_database(url: str) -> sa.Engine:
    """Connect to a database, and create or migrate its tables if necessary.

    Raises StoreError for an address or a schema version that this wlm cannot use, or else
    SQLAlchemyError or OSError.
    """
    address = _with_driver(_parse(url))
    server = address.get_backend_name() == "postgresql"
    arguments = {"connect_timeout": CONNECT_SECONDS} if server else {}
    try:
        engine = sa.create_engine(address, pool_pre_ping=True, connect_args=arguments)
        # PostgreSQL's driver would otherwise lose how many rows a statement changed.
        engine.update_execution_options(preserve_rowcount=True)
    except ModuleNotFoundError as error:
        package = "psycopg[binary]" if error.name == "psycopg" else error.name
        raise StoreError(
            f"{address.get_backend_name()} needs a package that is not installed: pip install "
            f"'{package}'"
        ) from None
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise _bad_address(f"{address.drivername[:20]!r} is not a known kind of database") from None
    if address.get_backend_name() == "sqlite":
        if path := file_of(url):
            path.parent.mkdir(parents=True, exist_ok=True)
        sa.event.listen(engine, "connect", _configure_sqlite)
    with engine.connect() as connection:
        version = _stored_version(connection)  # without a lock: it may be read-only
    if version != SCHEMA_VERSION:
        with engine.begin() as connection:
            _bring_up_to_date(connection)
    return engine


def make_tables(engine: sa.Engine, tables: sa.MetaData) -> None:
    """Create the missing tables. Processes that do so at the same time take turns."""
    if all(map(sa.inspect(engine).has_table, tables.tables)):
        return  # without a lock: it may be read-only
    with engine.begin() as connection:
        _lock(connection)
        tables.create_all(connection)


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite database; None for any other database."""
    address = _parse(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    return None if address.database.startswith((":", "file:")) else Path(address.database)


def _parse(url: str) -> sa.URL:
    """Parse a database's address. Errors never quote it, since it may contain a password."""
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise _bad_address("this one cannot be read; its port, if any, must be a number") from None
    if "@" in (address.host or ""):
        raise _bad_address("write an @ in a password as %40")
    in_memory = address.database in (None, "", ":memory:") or "memory" in address.query.values()
    if address.get_backend_name() == "sqlite" and (
        in_memory or address.database.startswith("file::memory:")
    ):
        raise _bad_address("this one has no file, so its runs would end with the process")
    return address


def _bad_address(problem: str) -> StoreError:
    return StoreError(f"a database's address must be such as {EXAMPLES}: {problem}")


def _with_driver(address: sa.URL) -> sa.URL:
    """Return the address with psycopg, even if it is written for PostgreSQL's own tools."""
    plain = address.drivername in ("postgres", "postgresql")
    return address.set(drivername="postgresql+psycopg") if plain else address


def _stored_version(connection: sa.Connection) -> int | None:
    """Return the schema's version, None without tables; the version stays locked until commit."""
    if not sa.inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(sa.select(VERSION.c.version).with_for_update()).scalar()


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Create the tables, or migrate older ones; raise StoreError for a newer version."""
    _lock(connection)
    version = _stored_version(connection)
    if version is not None and not 1 <= version <= SCHEMA_VERSION:
        raise StoreError(
            f"it is of schema version {version}, and this wlm reads versions 1 to "
            f"{SCHEMA_VERSION}; it is left as it is, set WLM_DATABASE_URL to another"
        )
    METADATA.create_all(connection)
    if version is None:
        connection.execute(VERSION.insert().values(version=SCHEMA_VERSION))
    elif version < SCHEMA_VERSION:
        added = [name for since, names in ADDED.items() if since > version for name in names]
        for name in added:
            definition = sa.schema.CreateColumn(RUNS.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {RUNS.name} ADD COLUMN {definition}")
        for index in RUNS.indexes:
            index.create(connection, checkfirst=True)
        connection.execute(VERSION.update().values(version=SCHEMA_VERSION))


def _lock(connection: sa.Connection) -> None:
    """Keep other processes from changing tables until this connection's transaction ends."""
    if connection.dialect.name == "sqlite":
        # SQLite's driver would commit each ALTER by itself, and two processes might both begin.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        # If two connections make the same table, PostgreSQL fails the second.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _configure_sqlite(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    # Readers and a writer, server and worker, do not wait for each other.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def shown_url(url: str) -> str:
    """Return a database's address without its password and options, however it is written."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return repr(url[:20])
    rest = rest.partition("?")[0]
    if scheme.startswith("sqlite"):
        return f"{scheme}://{rest}"
    login, at, place = rest.rpartition("@")  # the last one: a password may hold an @
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}{at}{place}"


def reason_of(error: SQLAlchemyError | OSError | StoreError) -> str:
    """Return the database's error in one line. Strangers get no names of hosts or users."""
    original = getattr(error, "orig", None) or error
    if isinstance(error, StoreError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if hosting().public and not isinstance(original, sqlite3.Error):
        return "the database server does not take them"
    return first_line(original)
