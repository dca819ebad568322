"""A PostgreSQL server of the tests' own, in a temporary folder."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from helpers.waiting import wait_for

USER = "postgres"  # the package's: PostgreSQL does not run as root
PLACES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin")  # the newest one counts
FAST = {"fsync": "off", "full_page_writes": "off"}


def programs() -> Path | None:
    """Return the folder with initdb and postgres, if they are installed."""
    found = [path for place in PLACES for path in sorted(Path("/").glob(place[1:]))]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    return next((path for path in reversed(found) if (path / "initdb").exists()), None)


class Postgres:
    """A server that listens on this machine alone; it can be stopped and started again."""

    def __init__(self, programs: Path, folder: Path, port: int):
        self._programs, self._folder, self._port = programs, folder, port
        self._options = {"user": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen | None = None
        command = [programs / "initdb", "--auth=trust", "--username=wlm", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C", "-D", folder / "data"]
        quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
        subprocess.run(command, check=True, **quiet, **self._options)
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **FAST}
        command = [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self._port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, **self._options
            )
        wait_for(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """End the server at once, as a power cut would."""
        self._process.send_signal(3)  # immediate shutdown
        self._process.wait()

    def set(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        engine = sa.create_engine(self._address("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = {value}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        engine.dispose()

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"wlm_{secrets.token_hex(4)}"
        engine = sa.create_engine(self._address("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._address(name).replace("+psycopg", "")

    def _address(self, database: str) -> str:
        return f"postgresql+psycopg://wlm@127.0.0.1:{self._port}/{database}"

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        done = subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)],
            check=False,
        )
        return done.returncode == 0


@contextmanager
def running(port: int) -> Iterator[Postgres]:
    """Start a server, and end it."""
    with tempfile.TemporaryDirectory(prefix="wlm-postgres-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        server = Postgres(programs(), Path(folder), port)
        try:
            yield server
        finally:
            server.stop()
