"""The store of runs: one row per run, the only channel between a page and a worker."""

import time
from collections.abc import Collection, Iterable

import sqlalchemy as sa

from wlm.errors import StoreAwayError, StoreError
from wlm.events import note
from wlm.runs.database import RUNS, SERVERS
from wlm.runs.run import Run, State
from wlm.runs.servers import is_dead
from wlm.runs.storage import Storage

LIGHT = [column for column in RUNS.c if column is not RUNS.c.result]  # a row without its blocks
MOST_IMPORTED = 200  # of up to 5 MB each: visitors must not fill the disk


class RunStore(Storage):
    """The runs in one database and its spill, see `Storage`."""

    def create(self, run: Run) -> None:
        """Store a new run."""
        row = dict(vars(run))
        self._follow(row)
        if self._write(self._main, RUNS.insert().values(row)) is None:
            self._to_spill(row)

    def update(self, run_id: str, **changes) -> None:
        """Change some fields of a run. Raises StoreError if there is no such run."""
        statement = RUNS.update().where(RUNS.c.id == run_id).values(changes)
        database = self._opened()  # first: if its file is lost, the run may spill now
        spilled = self._read(self._spilled(), run_id)
        if spilled is None and (rows := self._write(database, statement)) is not None:
            if not rows:
                raise self._no_run(run_id)
        else:
            row = spilled or self._read(self._main, run_id)
            if row is None:
                raise self._no_run(run_id)
            self._to_spill({**row, **changes})
        if run_id in self._under_way:
            self._follow({**self._under_way[run_id], **changes})

    def _follow(self, row: dict) -> None:
        """Remember the row of a run that has not ended, in case the database's file is lost."""
        if row["state"].final:
            self._under_way.pop(row["id"], None)
        else:
            self._under_way[row["id"]] = {"result": None, **row}

    def get(self, run_id: str) -> Run:
        """Return a run's current state. Raises StoreError if there is no such run."""
        return self._find(run_id)

    def glance(self, run_id: str) -> Run:
        """Return a run's current state, without its result. Raises StoreError as `get` does."""
        return self._find(run_id, LIGHT)

    def _find(self, run_id: str, columns=RUNS.c) -> Run:
        database = self._opened()
        row = self._read(self._spilled(), run_id, columns)
        row = row or self._read(database, run_id, columns)
        if row is None:
            raise self._no_run(run_id)
        self._follow({**self._under_way.get(run_id, {}), **row})
        return Run(**row)

    def _no_run(self, run_id: str) -> StoreError:
        if self._away:
            return StoreAwayError(f"run {run_id!r} cannot be read now: {self._away}")
        return StoreError(f"there is no run {run_id!r}")

    def unfinished(self) -> list[Run]:
        """Return the queued and running runs without their results, oldest first."""
        states = [state for state in State if not state.final]
        query = sa.select(*LIGHT).where(RUNS.c.state.in_(states))
        followed = set(self._under_way)
        # A run that was queued when its database failed goes on in the spill.
        runs = [run for run in self._select(query, sa.select(*LIGHT)) if not run.state.final]
        if not (self._away or self._lost):
            for run_id in followed - {run.id for run in runs}:
                self._under_way.pop(run_id, None)  # another process has ended it
        return runs

    def list_runs(
        self, kind: str, limit: int = 200, *, points: bool = True, visitor: str | None = None
    ) -> list[Run]:
        """Return the latest runs of one kind, newest first: everyone's or one visitor's, with or
        without the points of sweeps, including runs that are not kept.

        Results, which may be large, are left out: `get` returns a run with its result.
        """
        query = sa.select(*LIGHT).where(RUNS.c.kind == kind)
        if not points:
            query = query.where(RUNS.c.sweep == "")
        if visitor is not None:
            query = query.where(RUNS.c.visitor == visitor)
        query = query.order_by(RUNS.c.created_at.desc(), RUNS.c.id).limit(limit)
        return self._select(query)[::-1][:limit]

    def add_imported(self, run: Run) -> None:
        """Store a run of the origin `imported`. Raises StoreError if there are too many."""
        count = sa.select(sa.func.count().label("runs")).select_from(RUNS)
        count = count.where(RUNS.c.origin == run.origin)
        for engine in (self._main, self._spilled()):
            found = self._fetch(engine, count)
            if found and found[0]["runs"] >= MOST_IMPORTED:
                raise StoreError(
                    f"at most {MOST_IMPORTED} imported runs are kept, and there are "
                    f"{found[0]['runs']}: delete one first"
                )
        self.create(run)

    def points_of(self, sweep_id: str) -> list[Run]:
        """Return the runs that belong to a sweep without their results, oldest first."""
        return self._select(sa.select(*LIGHT).where(RUNS.c.sweep == sweep_id))

    def delete(self, run_id: str, visitor: str | None) -> None:
        """Delete a finished run of this visitor, or of anyone if visitor is None.

        Raises StoreError if there is no such run, or if it is under way or another visitor's.
        """
        run = self.glance(run_id)
        if visitor is not None and run.visitor != visitor:
            raise StoreError(f"run {run_id!r} can be deleted only by the visitor who made it")
        if not run.state.final:
            raise StoreError(f"a run must have ended to be deleted, {run_id!r} is {run.state}")
        statement = RUNS.delete().where(RUNS.c.id == run_id)
        spilled, kept = (
            self._read(engine, run_id, LIGHT) for engine in (self._spilled(), self._main)
        )
        if kept and self._write(self._main, statement) is None:
            raise StoreError(f"run {run_id!r} cannot be deleted: {self._reason}")
        if spilled:
            self._write(self._spill, statement)

    def delete_older(self, than: float) -> int:
        """Delete the runs, including sweeps, that have ended and were made before a time in seconds
        since 1970; return the number of deleted runs."""
        final = [state for state in State if state.final]
        old = (RUNS.c.created_at < than) & RUNS.c.state.in_(final)
        return self._write(self._main, RUNS.delete().where(old)) or 0

    def interrupt_orphans(self, gone: Collection[str] = ()) -> list[str]:
        """Mark the unfinished runs of dead servers on this host as interrupted, and the runs of the
        servers `gone`; return their ids.

        Other runs of other hosts are left alone: this process cannot know whether their server is
        alive.
        """
        orphans = [run for run in self.unfinished() if run.server in gone or is_dead(run.server)]
        self.interrupt(orphans)
        return [run.id for run in orphans]

    def interrupt(self, runs: Iterable[Run]) -> None:
        """Mark runs as interrupted because their server has ended."""
        for run in runs:
            self.update(
                run.id,
                state=State.INTERRUPTED,
                message="The server stopped while this run was waiting or under way.",
                finished_at=time.time(),
            )
            note("run", run.visitor, run=run.id, kind=run.kind, outcome=str(State.INTERRUPTED))

    def give_sign(self, server: str) -> None:
        """Record a sign of life of a server."""
        count_up = SERVERS.update().where(SERVERS.c.name == server)
        if self._write(self._main, count_up.values(sign=SERVERS.c.sign + 1)) == 0:
            self._write(self._main, SERVERS.insert().values(name=server, sign=1))

    def signs(self) -> dict[str, int]:
        """Return each server's last sign of life."""
        rows = self._fetch(self._main, sa.select(SERVERS))
        return {row["name"]: row["sign"] for row in rows}

    def forget_server(self, server: str) -> None:
        """Remove a server."""
        self._write(self._main, SERVERS.delete().where(SERVERS.c.name == server))

    def _select(self, query: sa.Select, spilled: sa.Select | None = None) -> list[Run]:
        """The runs that a query finds, oldest first; a spilled one is newer than its kept row."""
        rows = {row["id"]: row for row in self._fetch(self._main, query)}
        both = query if spilled is None else spilled
        rows |= {row["id"]: row for row in self._fetch(self._spilled(), both)}
        return sorted((Run(**row) for row in rows.values()), key=lambda run: run.created_at)
