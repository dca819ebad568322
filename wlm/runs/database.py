"""The database of runs: its tables, opening it, and bringing an older one up to date."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from wlm.errors import StoreError, first_line

SCHEMA_VERSION = 4
CONNECT_SECONDS = 5  # to a database server: pages wait for it
LOCK = 0x776C6D  # a number of our own among those that PostgreSQL locks
ADDED = {2: ("visitor", "origin"), 3: ("sweep",)}  # columns, by the version that added them

METADATA = sa.MetaData()
RUNS = sa.Table(
    "runs",
    METADATA,
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
# Since version 4: each server's last sign of life, a number that it counts up.
SERVERS = sa.Table(
    "servers",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("sign", sa.Integer, nullable=False),
)
VERSION = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, nullable=False))


def open_database(url: str) -> sa.Engine:
    """Connect to a database, its tables made or migrated where need be.

    Raises StoreError for an address or a schema version that this wlm does not know, else
    SQLAlchemyError or OSError.
    """
    try:
        address = _with_driver(sa.make_url(url))
        server = address.get_backend_name() == "postgresql"
        arguments = {"connect_timeout": CONNECT_SECONDS} if server else {}
        engine = sa.create_engine(address, pool_pre_ping=True, connect_args=arguments)
    except ModuleNotFoundError as error:
        package = "psycopg[binary]" if error.name == "psycopg" else error.name
        raise StoreError(
            f"{address.get_backend_name()} needs a package that is not installed: pip install "
            f"'{package}'"
        ) from None
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


def _with_driver(address: sa.URL) -> sa.URL:
    """The address with psycopg, also where it is written as PostgreSQL's own tools read it."""
    plain = address.drivername in ("postgres", "postgresql")
    return address.set(drivername="postgresql+psycopg") if plain else address


def _stored_version(connection: sa.Connection) -> int | None:
    """The schema's version, None in a database without tables; it stays locked until commit."""
    if not sa.inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(sa.select(VERSION.c.version).with_for_update()).scalar()


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Make the tables, or migrate those of an older version; raise StoreError for a newer one."""
    if connection.dialect.name == "sqlite":
        # Its driver would commit each ALTER by itself, and two processes might both begin.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        # Of two that make one table, it fails the second.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
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
        connection.execute(VERSION.update().values(version=SCHEMA_VERSION))


def _configure_sqlite(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    # Readers and a writer, server and worker, do not wait for each other.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def shown_url(url: str) -> str:
    """Return a database's address without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url[:20])


def reason_of(error: SQLAlchemyError) -> str:
    """Return the first line of what the database said."""
    return first_line(getattr(error, "orig", None) or error)
