"""The store of runs, on real SQLite files."""

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from helpers.processes import exit_code_of
from helpers.waiting import PATIENCE, wait_for
from wlm.errors import StoreAwayError, StoreError
from wlm.runs import database, storage
from wlm.runs import store as runs
from wlm.runs.run import Run, State
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore


def test_a_run_comes_back_as_it_was_stored_also_in_another_store(url):
    run = Run("compare", {"variants": ["fp32"]}, server=this_server())
    RunStore(url).create(run)
    assert RunStore(url).get(run.id) == run


def test_ids_are_long_and_different():
    ids = {Run("compare", {}).id for _ in range(100)}
    assert len(ids) == 100
    assert min(map(len, ids)) >= 16


def test_an_update_changes_only_what_it_names(url):
    store, run = RunStore(url), Run("compare", {"seed": 1})
    store.create(run)
    store.update(run.id, stop_requested=True)
    store.update(run.id, state=State.RUNNING, result={"results": [1.5]})
    now = store.get(run.id)
    assert (now.state, now.result, now.stop_requested) == (
        State.RUNNING,
        {"results": [1.5]},
        True,
    )
    assert now.spec == {"seed": 1}


@pytest.mark.parametrize("act", ["get", "update", "delete"])
def test_an_unknown_run_is_an_error_that_names_it(url, act):
    with pytest.raises(StoreError, match="no run 'nope'"):
        getattr(RunStore(url), act)("nope", **({"visitor": None} if act == "delete" else {}))


def test_unfinished_runs_come_oldest_first(url):
    store = RunStore(url)
    for id, state, age in (("b", "queued", 1), ("c", "done", 5), ("a", "running", 9)):
        store.create(Run("compare", {}, id=id, state=State(state), created_at=100.0 - age))
    assert [run.id for run in store.unfinished()] == ["a", "b"]


def test_only_runs_of_dead_servers_here_are_marked_as_interrupted(url):
    process = subprocess.run(
        [sys.executable, "-c", "from wlm.runs.servers import this_server; print(this_server())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead, elsewhere = process.stdout.strip(), "otherhost:1:1.00"
    reused = this_server().rpartition(":")[0] + ":1.00"  # our process id, another start time
    store = RunStore(url)
    for server in (dead, elsewhere, reused, this_server()):
        store.create(Run("compare", {}, id=server, state=State.RUNNING, server=server))
    store.create(Run("compare", {}, id="finished", state=State.DONE, server=dead))
    assert set(store.interrupt_orphans()) == {dead, reused}
    assert store.get(dead).state == State.INTERRUPTED
    assert "server stopped" in store.get(dead).message
    assert store.get(elsewhere).state == State.RUNNING
    assert store.get(this_server()).state == State.RUNNING
    assert store.get("finished").state == State.DONE


def test_where_the_database_cannot_be_made_runs_still_show_with_a_warning(tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    store = RunStore(f"sqlite:///{tmp_path}/file/runs.sqlite")
    run = Run("compare", {})
    store.create(run)
    store.update(run.id, state=State.DONE, result={"loss": 1.0})
    assert "not kept" in store.warning and "file/runs.sqlite" in store.warning
    assert store.get(run.id).result == {"loss": 1.0}
    assert "not kept" in store.get(run.id).warning
    # A second process, such as the worker, sees and changes the same run.
    worker = RunStore(store.url, store.spill_url)
    worker.update(run.id, stage="seen")
    assert store.get(run.id).stage == "seen"


def fill(engine: sa.Engine) -> None:
    """Let a database grow no more: SQLite's own "disk is full"."""

    def no_more_pages(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")

    sa.event.listen(engine, "connect", no_more_pages)
    engine.dispose()


def test_a_disk_that_fills_during_a_run_loses_nothing(sqlite_url):
    store, run = RunStore(sqlite_url), Run("compare", {}, state=State.RUNNING)
    store.create(run)
    store.update(run.id, result={"blocks": [1]})

    fill(store._main)
    store.update(run.id, result={"blocks": list(range(20_000))}, done=0.5)
    after = store.get(run.id)
    assert len(after.result["blocks"]) == 20_000 and after.done == 0.5
    assert "full" in after.warning
    store.update(run.id, state=State.DONE)
    assert store.get(run.id).state == State.DONE
    assert store.unfinished() == []


def test_a_read_only_database_keeps_its_runs_readable(sqlite_url):
    RunStore(sqlite_url).create(Run("compare", {}, id="old", state=State.DONE))
    path = sa.make_url(sqlite_url).database
    store = RunStore(f"sqlite:///file:{path}?mode=ro&uri=true")
    store.create(Run("compare", {}, id="new"))
    assert store.get("new").id == "new"
    assert store.get("old").state == State.DONE
    assert "not kept" in store.warning
    store.mend()  # in vain
    assert "readonly" in store.get("new").warning
    reason = "run 'old' cannot be deleted: attempt to write a readonly database"
    with pytest.raises(StoreError, match=reason):
        store.delete("old", None)
    assert {run.id for run in store.list_runs("compare")} == {"old", "new"}


def test_where_neither_the_database_nor_memory_takes_anything_it_is_said(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    store = RunStore("sqlite:////dev/null/runs.sqlite")
    with monkeypatch.context() as patch:
        patch.setattr(storage.tempfile, "TemporaryDirectory", full)
        with pytest.raises(
            StoreAwayError, match="no run can be stored now: No space left on device"
        ):
            store.create(Run("compare", {}))
    assert store.list_runs("compare") == []
    store.create(Run("compare", {}, id="first"))  # there is room again
    fill(store._spill)
    large = {"blocks": list(range(20_000))}
    with pytest.raises(StoreAwayError, match="no run can be stored now: database or disk is full"):
        store.create(Run("compare", {}, id="second", result=large))
    with pytest.raises(StoreAwayError, match="no run can be stored now: database or disk is full"):
        store.update("first", result=large)
    assert [(run.id, run.result) for run in store.list_runs("compare")] == [("first", None)]


def test_a_database_of_another_version_is_left_as_it_is(url):
    store = RunStore(url)
    store.create(Run("compare", {}, id="precious"))
    with store._main.begin() as connection:
        connection.execute(database.VERSION.update().values(version=99))
    other = RunStore(url)
    assert "version 99" in other.warning
    other.create(Run("compare", {}, id="new"))
    assert other.get("new").warning
    with store._main.begin() as connection:
        assert connection.execute(sa.select(database.RUNS.c.id)).scalars().all() == ["precious"]


VERSION_1 = """
CREATE TABLE runs (
    id VARCHAR(32) NOT NULL, kind VARCHAR(32) NOT NULL, spec JSON NOT NULL,
    state VARCHAR(16) NOT NULL, stage VARCHAR(200) NOT NULL, done FLOAT NOT NULL,
    seconds_left FLOAT, result JSON, message TEXT NOT NULL, warning TEXT NOT NULL,
    stop_requested BOOLEAN NOT NULL, server VARCHAR(200) NOT NULL, created_at FLOAT NOT NULL,
    started_at FLOAT, finished_at FLOAT, PRIMARY KEY (id)
);
CREATE INDEX ix_runs_state ON runs (state);
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (1);
INSERT INTO runs VALUES ('old', 'compare', '{"seed": 7}', 'done', '', 1.0, NULL,
    '{"results": [1.5]}', '', '', FALSE, 'host:1:1.00', 100.0, 101.0, 102.0);
INSERT INTO runs VALUES ('older', 'compare', '{}', 'failed', '', 0.0, NULL, NULL,
    'There is no text', '', FALSE, 'host:1:1.00', 90.0, NULL, 91.0);
"""


VERSION_2 = """
ALTER TABLE runs ADD COLUMN visitor VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN origin VARCHAR(16) NOT NULL DEFAULT '';
UPDATE runs SET visitor = 'me', origin = 'imported' WHERE id = 'old';
UPDATE schema_version SET version = 2;
"""


@pytest.fixture
def version_1(url) -> str:
    """The address of a database as version 1 wrote it, with two runs."""
    if url.startswith("sqlite"):
        Path(sa.make_url(url).database).parent.mkdir()
    write(url, VERSION_1)
    return url


def write(url: str, script: str) -> None:
    """Execute some statements in a database."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for statement in filter(str.strip, script.split(";")):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_database_of_version_1_is_migrated_with_its_runs(version_1):
    store = RunStore(version_1)
    assert store.warning == ""
    assert [run.id for run in store.list_runs("compare")] == ["old", "older"]
    old = store.get("old")
    assert (old.spec, old.result, old.finished_at) == ({"seed": 7}, {"results": [1.5]}, 102.0)
    assert (old.visitor, old.origin, old.sweep) == ("", "", "")
    store.create(Run("compare", {}, id="new", visitor="me", origin="imported"))
    new = RunStore(version_1).get("new")
    assert (new.visitor, new.origin) == ("me", "imported")
    with store._main.begin() as connection:
        versions = connection.execute(sa.select(database.VERSION.c.version)).scalars().all()
    assert versions == [database.SCHEMA_VERSION]


def test_a_database_of_version_2_is_migrated_with_its_runs(version_1):
    write(version_1, VERSION_2)
    store = RunStore(version_1)
    assert store.warning == ""
    old = store.get("old")
    assert (old.visitor, old.origin, old.sweep) == ("me", "imported", "")
    store.create(Run("compare", {}, id="new", sweep="S"))
    assert [run.id for run in RunStore(version_1).points_of("S")] == ["new"]
    with store._main.begin() as connection:
        versions = connection.execute(sa.select(database.VERSION.c.version)).scalars().all()
    assert versions == [database.SCHEMA_VERSION]


def test_a_sweeps_points_come_oldest_first_also_where_they_spill(url):
    kept, spilled = RunStore(url), RunStore("sqlite:////dev/null/runs.sqlite")
    for store in (kept, spilled):
        for id, sweep, age in (("b", "S", 1), ("a", "S", 2), ("c", "other", 3), ("d", "", 4)):
            store.create(Run("compare", {}, id=id, sweep=sweep, created_at=100.0 - age))
        assert [run.id for run in store.points_of("S")] == ["a", "b"]


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(version_1):
    write(version_1, "ALTER TABLE runs ADD COLUMN origin TEXT")  # in the way of the second
    warning = RunStore(version_1).warning
    assert "duplicate column name: origin" in warning or '"origin" of relation "runs"' in warning
    engine = sa.create_engine(version_1.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert "visitor" not in [
            column["name"] for column in sa.inspect(connection).get_columns("runs")
        ]
        versions = connection.exec_driver_sql("SELECT version FROM schema_version").all()
    engine.dispose()
    assert [tuple(version) for version in versions] == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize("made", ["version_1", "url"])
def test_processes_that_open_a_database_at_once_migrate_or_make_it_once(request, url, made):
    request.getfixturevalue(made)
    script = (
        "import sys; from wlm.runs.run import Run; from wlm.runs.store import RunStore\n"
        "print(flush=True); sys.stdin.readline()\n"
        "s = RunStore(sys.argv[1]); s.create(Run('compare', {}, id=sys.argv[2]))\n"
        "sys.exit(s.warning or 0)"
    )
    command = [sys.executable, "-c", script, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    openers = [subprocess.Popen([*command, f"r{i}"], **pipes) for i in range(4)]
    for opener in openers:
        opener.stdout.readline()  # all have imported: from here on they race
    for opener in openers:
        opener.stdin.close()
    assert [exit_code_of(opener) for opener in openers] == [0, 0, 0, 0]
    store = RunStore(url)
    assert {f"r{i}" for i in range(4)} <= {run.id for run in store.list_runs("compare")}
    with store._main.begin() as connection:
        versions = connection.execute(sa.select(database.VERSION.c.version)).scalars().all()
    assert versions == [database.SCHEMA_VERSION]


def test_runs_are_listed_newest_first_up_to_a_limit(url):
    store = RunStore(url)
    for id, created_at in (("b", 2.0), ("d", 4.0), ("a", 1.0), ("c", 3.0)):
        store.create(Run("compare", {}, id=id, created_at=created_at))
    assert [run.id for run in store.list_runs("compare")] == ["d", "c", "b", "a"]
    assert [run.id for run in store.list_runs("compare", limit=2)] == ["d", "c"]


def test_a_list_is_of_one_kind_and_without_results(url):
    store = RunStore(url)
    store.create(Run("compare", {}, id="a", result={"results": []}))
    store.create(Run("other", {}, id="b"))
    (run,) = store.list_runs("compare")
    assert (run.id, run.result) == ("a", None)
    assert store.get("a").result == {"results": []}


def test_imported_runs_are_so_many_and_no_more(url, monkeypatch):
    monkeypatch.setattr(runs, "MOST_IMPORTED", 2)
    store = RunStore(url)
    store.create(Run("compare", {}, id="measured"))
    for id in "ab":
        store.add_imported(Run("compare", {}, id=id, state=State.DONE, origin="imported"))
    with pytest.raises(StoreError, match="at most 2 imported runs are kept, and there are 2"):
        store.add_imported(Run("compare", {}, id="c", origin="imported"))
    store.delete("a", None)
    store.add_imported(Run("compare", {}, id="c", origin="imported"))
    assert {run.id for run in store.list_runs("compare")} == {"measured", "b", "c"}


def test_runs_that_are_not_kept_are_listed_and_deleted_too(tmp_path):
    store = RunStore("sqlite:////dev/null/runs.sqlite")
    store.create(Run("compare", {}, id="new", state=State.DONE))
    assert [run.id for run in store.list_runs("compare")] == ["new"]
    store.delete("new", "")
    assert store.list_runs("compare") == []


@pytest.mark.parametrize(
    ("owner", "visitor"), [("me", "me"), ("", ""), ("me", None), ("", None)], ids=repr
)
def test_a_finished_run_is_deleted_by_its_visitor_or_the_command_line(url, owner, visitor):
    store = RunStore(url)
    store.create(Run("compare", {}, id="mine", state=State.DONE, visitor=owner))
    store.create(Run("compare", {}, id="other", state=State.DONE, visitor=owner))
    store.delete("mine", visitor)
    assert [run.id for run in RunStore(url).list_runs("compare")] == ["other"]


@pytest.mark.parametrize(
    ("owner", "visitor", "state", "message"),
    [
        ("me", "you", State.DONE, "only by the visitor who made it"),
        ("me", "", State.DONE, "only by the visitor who made it"),
        ("", "you", State.DONE, "only by the visitor who made it"),
        ("me", "me", State.RUNNING, "must have ended .* is running"),
        ("me", "me", State.QUEUED, "must have ended .* is queued"),
        ("me", None, State.RUNNING, "must have ended .* is running"),
    ],
)
def test_a_run_of_another_or_under_way_is_not_deleted(url, owner, visitor, state, message):
    store = RunStore(url)
    store.create(Run("compare", {}, id="precious", state=state, visitor=owner))
    with pytest.raises(StoreError, match=message):
        store.delete("precious", visitor)
    assert store.get("precious").visitor == owner


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x/y"])
def test_an_address_that_is_no_database_is_said_and_runs_still_show(url):
    store = RunStore(url)
    store.create(Run("compare", {}, id="new"))
    assert "not kept" in store.warning
    assert store.get("new").warning


def test_a_password_is_never_shown():
    store = RunStore("postgresql://user:secret@nowhere.invalid/runs")
    assert store.warning and "secret" not in store.warning


@pytest.mark.slow
def test_writers_in_several_processes_do_not_lose_updates(url):
    store = RunStore(url)
    for i in range(4):
        store.create(Run("compare", {}, id=f"r{i}"))
    script = (
        "import sys; from wlm.runs.store import RunStore; s = RunStore(sys.argv[1]);"
        "[s.update(sys.argv[2], done=i / 50, stage=str(i)) for i in range(51)];"
        "sys.exit(bool(s.warning))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, url, f"r{i}"]) for i in range(4)]
    assert [exit_code_of(writer) for writer in writers] == [0, 0, 0, 0]
    assert [store.get(f"r{i}").stage for i in range(4)] == ["50"] * 4


@pytest.mark.parametrize("address", ["postgresql://u@h/runs", "postgres://u@h/runs"])
def test_without_psycopg_it_is_said_what_to_install(monkeypatch, address):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    store = RunStore(address)
    assert "postgresql needs a package that is not installed: pip install 'psycopg[binary]'" in (
        store.warning
    )
    store.create(Run("compare", {}, id="new"))
    assert store.get("new").warning


def test_a_strangers_list_is_its_own(url):
    store = RunStore(url)
    for id, visitor in (("a", "anna"), ("b", "bert"), ("c", "anna")):
        store.create(Run("compare", {}, id=id, visitor=visitor))
    assert {run.id for run in store.list_runs("compare", visitor="anna")} == {"a", "c"}
    assert store.list_runs("compare", visitor="' OR 1=1 --") == []


def test_old_runs_that_have_ended_are_deleted(url):
    store = RunStore(url)
    for id, state, created_at in (
        ("old", "done", 1.0),
        ("at", "running", 1.0),
        ("new", "done", 9.0),
    ):
        store.create(Run("compare", {}, id=id, state=State(state), created_at=created_at))
    assert store.delete_older(5.0) == 1
    assert {run.id for run in store.list_runs("compare")} == {"at", "new"}


def test_runs_that_were_spilled_are_kept_once_the_database_takes_them(sqlite_url, tmp_path):
    folder = Path(sa.make_url(sqlite_url).database).parent
    folder.write_text("in the way of a folder")
    store = RunStore(sqlite_url)
    store.create(Run("compare", {}, id="a", state=State.RUNNING))
    worker = RunStore(sqlite_url, store.spill_url)
    store.mend()  # in vain
    assert "not kept" in store.get("a").warning
    folder.unlink()
    store.mend()
    assert store.warning == "" and store.get("a").warning == ""
    worker.update("a", state=State.DONE, result={"loss": 1.0})  # its own database is still away
    store.mend()
    assert RunStore(sqlite_url).get("a").result == {"loss": 1.0}
    assert [run.id for run in store.list_runs("compare")] == ["a"]


def test_a_database_server_that_goes_away_loses_nothing(postgres):
    url = postgres.new_database()
    store, patient = RunStore(url), RunStore(url, patience=PATIENCE)
    store.create(Run("compare", {}, id="kept", state=State.RUNNING))
    postgres.stop()
    try:
        with pytest.raises(StoreError, match="cannot be read now"):
            store.get("kept")
        assert store.is_away()
        store.create(Run("compare", {}, id="meanwhile", state=State.DONE))
        assert store.get("meanwhile").warning
        late = RunStore(url)
        late.create(Run("compare", {}, id="late", state=State.DONE))
        waiting = threading.Thread(target=patient.update, args=("kept",), kwargs={"stage": "late"})
        waiting.start()
    finally:
        postgres.start()
    waiting.join(PATIENCE)
    assert store.get("kept").stage == "late" and not store.is_away()
    store.mend()
    late.mend()
    assert {run.id for run in RunStore(url).list_runs("compare")} == {"kept", "meanwhile", "late"}
    assert store.get("meanwhile").warning == ""


def test_a_database_that_takes_no_writes_for_a_while_is_waited_for(postgres):
    url = postgres.new_database()
    store, patient = RunStore(url), RunStore(url, patience=PATIENCE)
    store.create(Run("compare", {}, id="kept", state=State.RUNNING))
    postgres.set("default_transaction_read_only", "on")
    try:
        wait_for(lambda: not store.update("kept", stage="aside") and store.warning, "the setting")
        assert "read-only" in store.warning and store.get("kept").stage == "aside"
        waiting = threading.Thread(target=patient.create, args=(Run("compare", {}, id="late"),))
        waiting.start()
    finally:
        postgres.set("default_transaction_read_only", "off")
    waiting.join(PATIENCE)
    assert patient.warning == "" and RunStore(url).get("late").id == "late"
    wait_for(lambda: not store.mend() and not store.warning, "the setting")
    assert RunStore(url).get("kept").stage == "aside"


def test_servers_give_signs_of_life(url):
    store = RunStore(url)
    for server in ("a", "b", "a"):
        store.give_sign(server)
    assert store.signs() == {"a": 2, "b": 1}
    store.forget_server("a")
    assert store.signs() == {"b": 1}


def test_the_spill_is_gone_when_the_process_has_ended(tmp_path):
    script = (
        "import sys; from wlm.runs.run import Run; from wlm.runs.store import RunStore;"
        "s = RunStore('sqlite:////dev/null/x');"
        "s.create(Run('compare', {})); print(s.spill_url.removeprefix('sqlite:///'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    path = Path(done.stdout.strip())
    assert path.name == "runs.sqlite" and not path.parent.exists()


def test_times_are_those_of_now():
    assert abs(Run("compare", {}).created_at - time.time()) < 60


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://u:pa@ss@host/runs", "write an @ in a password as %40"),
        ("postgresql://u:secret@host:pass/runs", "its port, if any, must be a number"),
        ("sqlite://", "this one has no file"),
        ("sqlite:///:memory:", "this one has no file"),
        ("sqlite:///file::memory:?uri=true", "this one has no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "this one has no file"),
    ],
)
def test_an_address_that_cannot_keep_runs_is_refused_without_its_password(url, problem):
    store, run = RunStore(url), Run("compare", {})
    store.create(run)
    assert store.warning.startswith("Runs are not kept in ") and problem in store.warning
    assert "such as sqlite:////folder/runs.sqlite" in store.warning
    assert store.get(run.id).warning == store.warning
    assert not any(secret in store.warning for secret in ("pa@", "ss@", "secret"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:a@b/c@host:1/runs?password=x", "postgresql://u:***@host:1/runs"),
        ("postgresql://u@host/runs", "postgresql://u@host/runs"),
        ("sqlite:////a@b/runs.sqlite", "sqlite:////a@b/runs.sqlite"),
        ("nonsense", "'nonsense'"),
    ],
)
def test_addresses_are_shown_without_passwords(url, shown):
    assert database.shown_url(url) == shown


def test_strangers_learn_neither_folder_nor_host_nor_user(public, tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    public()
    for url in (f"sqlite:///{tmp_path}/file/runs.sqlite", "postgresql://me:x@127.0.0.1:1/runs"):
        warning = RunStore(url).warning
        assert warning.startswith("Runs are not kept: ")
        assert not any(word in warning for word in ("file/", "me", "127.0.0.1", ":1"))


def delete(path: Path) -> None:
    path.unlink()


def replace_file(path: Path) -> None:
    RunStore(f"sqlite:///{path}.new").create(Run("compare", {}, id="another"))
    Path(f"{path}.new").replace(path)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("lose", "what"),
    [
        (delete, "deleted"),
        (replace_file, "replaced"),
        (empty, "emptied"),
    ],
)
def test_a_file_that_is_lost_while_in_use_is_noticed_and_runs_under_way_are_kept_aside(
    sqlite_url, caplog, lose, what
):
    store = RunStore(sqlite_url)
    worker = RunStore(sqlite_url, store.spill_url)
    for id, state in (("old", State.DONE), ("here", State.RUNNING), ("waits", State.QUEUED)):
        store.create(Run("compare", {"seed": 7}, id=id, state=state))
    worker.glance("here")
    worker.update("here", result={"blocks": [1]})
    lose(Path(sa.make_url(sqlite_url).database))
    worker.update("here", done=0.5)
    assert f"the database file was {what} while the server was running" in worker.warning
    assert [run.id for run in store.unfinished()] == ["here", "waits"]
    assert (store.get("here").done, store.get("here").result) == (0.5, {"blocks": [1]})
    # A worker that starts now finds the runs, too, whatever is in the file's place.
    late = RunStore(sqlite_url, store.spill_url)
    late.update("waits", state=State.DONE, result={"blocks": [2]})
    waits = store.get("waits")
    assert (waits.state, waits.spec, waits.result) == (State.DONE, {"seed": 7}, {"blocks": [2]})
    store.mend()
    assert f"was {what}" in store.warning and f"was {what}" in store.get("here").warning
    assert f"was {what}" in caplog.text


def test_a_run_that_ended_elsewhere_is_not_taken_for_under_way(sqlite_url):
    store = RunStore(sqlite_url)
    store.create(Run("compare", {}, id="a"))
    RunStore(sqlite_url).update("a", state=State.DONE)
    assert store.unfinished() == []
    Path(sa.make_url(sqlite_url).database).unlink()
    assert store.unfinished() == []


def test_an_update_of_a_run_that_is_gone_is_an_error(url):
    with pytest.raises(StoreError, match="no run 'nope'"):
        RunStore(url).update("nope", stage="Measuring")


def test_older_databases_get_the_indices_of_new_ones(version_1, tmp_path):
    def indices(url: str) -> set[str]:
        return {index["name"] for index in sa.inspect(RunStore(url)._main).get_indexes("runs")}

    new = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert {"ix_runs_visitor", "ix_runs_origin", "ix_runs_sweep"} <= indices(new)
    assert indices(new) <= indices(version_1)
