"""What a server looks after while it runs."""

import time
from dataclasses import replace

import pytest

from wlm.catalog.registry import TEXT
from wlm.paths import uploads_folder
from wlm.runs import caretaker as care
from wlm.runs.caretaker import Caretaker
from wlm.runs.run import Run, State
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore
from wlm.uploads import store as uploads


class Clock:
    """A clock that is set, and one that nobody sets."""

    def __init__(self):
        self.now, self.sure = 1e9, 100.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.sure

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.sure += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(care, "time", clock)
    return clock


def test_runs_of_a_server_that_gives_no_signs_any_more_are_interrupted(store, clock):
    """One of another machine, whose processes cannot be seen here."""
    run = Run("compare", {}, state=State.RUNNING, server="elsewhere:1:1.00")
    ours = replace(run, id="ours", server=this_server())
    unknown = replace(run, id="unknown", server="nowhere:1:1.00")  # it never gave one
    for made in (run, ours, unknown):
        store.create(made)
    caretaker = Caretaker(store)
    for _ in range(5):
        store.give_sign(run.server)
        caretaker.look()
        clock.go_on(50.0)
    assert store.get(run.id).state == State.RUNNING
    clock.now -= 3600.0  # nobody cares for a clock that is set
    clock.go_on(20.0)
    caretaker.look()
    assert store.get(run.id).state == State.INTERRUPTED
    assert "server stopped" in store.get(run.id).message
    assert store.signs().keys() == {this_server()}
    assert {store.get(run_id).state for run_id in ("ours", "unknown")} == {State.RUNNING}


def test_where_strangers_come_old_runs_are_removed(store, clock, public):
    store.create(Run("compare", {}, id="old", state=State.DONE, created_at=clock.now - 31 * 86_400))
    store.create(Run("compare", {}, id="new", state=State.DONE, created_at=clock.now))
    caretaker = Caretaker(store)
    for _ in range(3):
        caretaker.look()
        clock.go_on(3601.0)
    assert len(store.list_runs("compare")) == 2
    public()
    caretaker.look()
    assert [run.id for run in store.list_runs("compare")] == ["new"]


def test_a_clock_that_was_set_ahead_removes_nothing(store, clock, public):
    public()
    store.create(Run("compare", {}, id="new", state=State.DONE, created_at=clock.now))
    caretaker = Caretaker(store)
    caretaker.look()
    clock.go_on(3601.0)
    clock.now += 60 * 86_400.0
    caretaker.look()
    assert [run.id for run in store.list_runs("compare")] == ["new"]


def test_uploads_go_after_their_time(store, clock, tmp_path):
    folder = uploads_folder() / ".checking-x"
    folder.mkdir(parents=True)
    upload = uploads.keep(folder, "anna", TEXT, "a.txt", "")
    record = uploads_folder() / upload.name / uploads.RECORD
    words = record.read_text().replace(str(upload.created_at), str(time.time() - 25 * 3600.0))
    record.write_text(words)
    failed = []

    def fail() -> None:
        failed.append(1)
        raise RuntimeError("a defect")

    caretaker = Caretaker(store, fail, uploads.remove_old)
    caretaker.look()
    assert record.exists()
    clock.go_on(3601.0)
    caretaker.look()
    assert not record.exists() and failed == [1]


def test_what_was_spilled_is_stored_at_the_next_look(tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    store = RunStore(f"sqlite:///{tmp_path}/file/runs.sqlite")
    store.create(Run("compare", {}, id="a"))
    (tmp_path / "file").unlink()
    Caretaker(store).look()
    assert RunStore(store.url).get("a").warning == ""


def test_it_goes_on_after_a_look_that_failed(store, monkeypatch, caplog):
    looks = []

    def look(self) -> None:
        looks.append(self)
        raise SystemExit if len(looks) == 2 else RuntimeError("a defect")

    monkeypatch.setattr(care, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(Caretaker, "look", look)
    with pytest.raises(SystemExit):
        Caretaker(store).run()
    assert len(looks) == 2 and "the caretaker failed" in caplog.text
