"""A run: its settings, its state and its result."""

import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """The state of a run; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # on request; the measurements so far are kept
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its server went away

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


def new_id() -> str:
    """Return an id that cannot be guessed: everyone with the id may see the run."""
    while (drawn := secrets.token_urlsafe(12)).startswith("-"):
        pass  # a command line would read it as an option
    return drawn


@dataclass(frozen=True)
class Run:
    """One run: its settings (`spec`), its progress (`stage`, `done`, `seconds_left`), its `result`
    (partial while it runs) and, in words, its error (`message`).

    Times are seconds since 1970. `server` names the process that takes care of the run. `warning`
    gives the reason why the run is not kept. `visitor` is the visitor who may delete the run.
    `origin` is empty for a run measured here, or else `imported` or `recorded`. `sweep` is the id
    of the run's sweep, if the run is a point of one. The sweep itself is a row of kind `sweep` that
    holds its settings and never changes.
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
