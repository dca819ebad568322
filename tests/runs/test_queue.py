"""The queue of runs, with real worker processes and real signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from helpers.processes import output_of, start
from helpers.tiny import save_named
from helpers.waiting import PATIENCE, ended, wait_for
from wlm.errors import JobError, StoreAwayError
from wlm.measuring import machine
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.evaluate import evaluate
from wlm.measuring.sweep import SweepSpec
from wlm.runs import heartbeat, worker, worker_process
from wlm.runs import queue as jobs
from wlm.runs.heartbeat import worker_of
from wlm.runs.run import Run, State
from wlm.runs.servers import this_server
from wlm.runs.store import RunStore
from wlm.runs.sweep_points import current_points
from wlm.runs.worker import WorkerQueue
from wlm.runs.worker_process import how_it_ended
from wlm.text.corpus import batchify, read_text
from wlm.weights.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path_factory.mktemp('store') / 'runs.sqlite'}")


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> Iterator[CompareSpec]:
    """The tiny model and the short text by name, for this process and its workers."""
    folder = tmp_path_factory.mktemp("named")
    places = save_named(folder)
    shutil.copytree(folder / "models" / "tiny", folder / "models" / "broken")
    (folder / "models" / "broken" / "model.safetensors").write_bytes(b"no weights")
    with pytest.MonkeyPatch.context() as patch:
        for name, place in places.items():
            patch.setenv(name, place)
        yield CompareSpec(model="tiny", text="short", bptt=5)


@pytest.fixture(scope="module")
def endless(named) -> CompareSpec:
    return replace(named, seconds=80_000.0)


@pytest.fixture(scope="module")
def workers_queue(store, named) -> Iterator[WorkerQueue]:
    queue = WorkerQueue(store)
    yield queue
    queue.close()


@pytest.fixture
def queue(workers_queue, store) -> Iterator[WorkerQueue]:
    """A queue that all tests share, and so its worker; each leaves it empty."""
    yield workers_queue
    for run in store.unfinished():
        workers_queue.stop(run.id)
    for run in store.unfinished():
        ended(store, run.id)


@pytest.fixture
def own_store(tmp_path) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")


@pytest.fixture
def own_queue(own_store, named) -> Iterator[WorkerQueue]:
    """A queue whose worker has not been started."""
    queue = WorkerQueue(own_store)
    yield queue
    queue.close()


def measuring(store: RunStore, run_id: str) -> Run:
    return wait_for(lambda: (run := store.get(run_id)).result and run, "the first numbers")


def in_order_of_beginning(store: RunStore, run_ids: list[str]) -> list[str]:
    """Wait until all runs have ended; return their ids as they were seen to begin. By their times
    alone it would not be sure: the clock may step back."""
    begun: list[str] = []

    def look() -> bool:
        runs = [store.glance(run_id) for run_id in run_ids if run_id not in begun]
        new = [run for run in runs if run.state != State.QUEUED]
        begun.extend(run.id for run in sorted(new, key=lambda run: run.started_at or 0.0))
        return len(begun) == len(run_ids)

    wait_for(look, "all runs to begin")
    for run_id in run_ids:
        ended(store, run_id)
    return begun


def test_a_run_gives_the_losses_of_a_direct_evaluation(queue, store, named):
    run = ended(store, queue.submit(named))
    assert (run.state, run.message, run.done) == (State.DONE, "", 1.0)
    checkpoint = load_checkpoint(Path(os.environ["WLM_MODELS"]) / "tiny")
    text = read_text(Path(os.environ["WLM_TEXTS"]) / "short.txt", checkpoint.vocabulary)
    expected = evaluate(checkpoint.model, batchify(text.ids, 1), bptt=5)
    fp32, int8 = run.result["results"]
    assert fp32["loss"] == pytest.approx(expected.loss, abs=1e-9)
    assert int8["loss"] != fp32["loss"]
    assert run.result["protocol"]["tokens"] == len(text.ids)
    assert run.started_at <= run.finished_at


def test_runs_are_done_in_order_by_one_worker(queue, store, named):
    ids = [queue.submit(named) for _ in range(3)]
    assert in_order_of_beginning(store, ids) == ids
    assert [store.get(id).state for id in ids] == [State.DONE] * 3


def test_a_waiting_run_knows_how_many_are_ahead(queue, store, endless, named):
    first, second, third = queue.submit(endless), queue.submit(named), queue.submit(named)
    measuring(store, first)
    assert [queue.ahead_of(run_id)[0] for run_id in (first, second, third)] == [0, 1, 2]


def test_the_wait_is_the_sum_of_what_is_ahead_where_that_is_known(own_queue, own_store):
    limited, to_the_end = CompareSpec(seconds=7.0).to_json(), CompareSpec().to_json()
    runs = [
        Run("compare", limited, state=State.RUNNING, seconds_left=4.0),
        *(Run("compare", spec) for spec in (limited, limited, to_the_end, limited)),
    ]
    for i, run in enumerate(runs):
        own_store.create(replace(run, server=this_server(), created_at=float(i)))
    waits = [own_queue.ahead_of(run.id) for run in runs]
    assert waits == [(0, 0), (1, 4.0), (2, 4.0 + 12.0), (3, 4.0 + 24.0), (4, None)]


def test_a_visitor_has_one_run_waiting_and_the_queue_an_end(own_queue, named, monkeypatch):
    monkeypatch.setattr(own_queue, "start", lambda: None)  # so that all of them wait
    monkeypatch.setattr(own_queue, "_hand_over", lambda run_id: None)
    own_queue.submit(named, visitor="anna")
    with pytest.raises(JobError, match="waiting already"):
        own_queue.submit(named, visitor="anna")
    own_queue.submit(named, visitor="bert")
    monkeypatch.setattr(jobs, "MOST_WAITING", 2)
    with pytest.raises(JobError, match="2 runs are waiting"):
        own_queue.submit(named, visitor="carl")


def test_a_stopped_run_keeps_what_it_measured_and_the_next_one_works(queue, store, endless, named):
    run_id = queue.submit(endless)
    before = measuring(store, run_id)
    queue.stop(run_id)
    run = ended(store, run_id)
    assert run.state == State.STOPPED
    assert run.result["protocol"]["tokens"] >= before.result["protocol"]["tokens"]
    assert 0.0 < run.done < 1.0
    assert ended(store, queue.submit(named)).state == State.DONE


def test_a_run_stopped_while_it_waits_measures_nothing(queue, store, endless, named):
    first, second = queue.submit(endless), queue.submit(named)
    queue.stop(second)
    queue.stop(first)
    run = ended(store, second)
    assert (run.state, run.result) == (State.STOPPED, None)


def test_a_killed_worker_fails_its_run_only(queue, store, endless, named):
    running, waiting = queue.submit(endless), queue.submit(named)
    before = measuring(store, running)
    os.kill(queue._worker.pid, signal.SIGKILL)
    run = ended(store, running)
    assert run.state == State.FAILED
    assert "killed by SIGKILL" in run.message and "kept" in run.message
    assert run.result["protocol"]["tokens"] >= before.result["protocol"]["tokens"]
    assert ended(store, waiting).state == State.DONE
    assert ended(store, queue.submit(named)).state == State.DONE


def test_a_signal_without_a_name_is_told_by_its_number():
    assert how_it_ended(-35) == "killed by signal 35"


def test_two_servers_share_a_database_and_leave_each_others_runs_alone(queue, store, named):
    script = (
        "import sys, json, time; from wlm.measuring.comparison import CompareSpec\n"
        "from wlm.runs.worker import WorkerQueue; from wlm.runs.store import RunStore\n"
        "store = RunStore(); queue = WorkerQueue(store)\n"
        "assert store.interrupt_orphans() == []\n"
        "spec = CompareSpec.from_json(json.loads(sys.argv[1]))\n"
        "for _ in range(3):\n"
        "    run_id = queue.submit(spec)\n"
        "    while not store.get(run_id).state.final: time.sleep(0.05)\n"
        "    print(run_id, store.get(run_id).state)\n"
        "queue.close(); sys.exit(store.warning or 0)"
    )
    command = [sys.executable, "-c", script, json.dumps(named.to_json())]
    environment = {**os.environ, "WLM_DATABASE_URL": store.url}
    before = {run.id for run in store.list_runs("compare")}
    other = start(*command, env=environment, stdout=subprocess.PIPE)
    ids = [queue.submit(named) for _ in range(6)]
    assert [ended(store, run_id).state for run_id in ids] == [State.DONE] * 6
    printed, _ = output_of(other)
    assert other.returncode == 0
    theirs = [line.split() for line in printed.splitlines()]
    assert [state for _, state in theirs] == ["done"] * 3
    now = {run.id for run in store.list_runs("compare")}
    assert now - before == {*ids, *(id for id, _ in theirs)}
    servers = {store.get(ids[0]).server, store.get(theirs[0][0]).server}
    assert len(servers) == 2


def test_a_worker_that_cannot_start_fails_the_run(own_queue, own_store, named, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    run = ended(own_store, own_queue.submit(named))
    assert run.state == State.FAILED
    assert "ended unexpectedly (exit code 1)" in run.message


def test_no_worker_program_at_all_is_an_error(own_queue, named, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(JobError, match="cannot be started"):
        own_queue.submit(named)
    there, sentence = own_queue.worker()
    assert not there
    assert sentence.startswith("No worker: the worker process cannot be started: ")


@pytest.mark.parametrize("what", ["Popen", "Thread"])
def test_runs_that_no_new_worker_can_take_over_fail(
    queue, store, endless, named, monkeypatch, what
):
    """There is no memory for another process, or no thread to watch it."""
    running, waiting = queue.submit(endless, "anna"), queue.submit(named, "bert")
    measuring(store, running)

    def refuse(*_, **__):
        raise {"Popen": OSError("out of memory"), "Thread": RuntimeError("no thread")}[what]

    with monkeypatch.context() as patch:
        module = worker_process.subprocess if what == "Popen" else worker_process.threading
        patch.setattr(module, what, refuse)
        os.kill(queue._worker.pid, signal.SIGKILL)
        assert "SIGKILL" in ended(store, running).message
        run = ended(store, waiting)
    assert run.state == State.FAILED
    assert run.message.startswith("This run could not be started: the worker process cannot be ")
    assert ended(store, queue.submit(named, "bert")).state == State.DONE


def test_a_defect_while_runs_are_handed_over_leaves_none_waiting(
    own_queue, own_store, named, monkeypatch, caplog
):
    run = Run("compare", {}, server=this_server())
    own_store.create(run)
    own_queue._unfinished = {(run.id,): 0}
    monkeypatch.setattr(own_queue, "_pass_on", lambda *_: 1 / 0)
    failing = iter([StoreAwayError("it is away")])
    update = own_store.update

    def update_later(*arguments, **changes) -> None:
        if error := next(failing, None):
            raise error
        update(*arguments, **changes)

    monkeypatch.setattr(own_store, "update", update_later)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    own_queue._watch(SimpleNamespace(wait=lambda: "exit code 7"))
    assert "exit code 7" in own_store.get(run.id).message
    assert "cannot be handed over" in caplog.text


def test_a_worker_that_hangs_holds_nobody_up_and_is_ended(
    own_queue, own_store, endless, named, monkeypatch
):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.1)
    running = own_queue.submit(endless)
    measuring(own_store, running)
    (name,) = wait_for(own_store.signs, "the heartbeat")
    assert name == worker_of(this_server())
    os.kill(own_queue._worker.pid, signal.SIGSTOP)

    def use() -> None:
        for seed in range(2_000):  # more than a pipe holds
            own_queue.prefetch(replace(named, seed=seed))
            own_queue._worker.send("x" * 100)
        own_queue.worker()

    user = threading.Thread(target=use, daemon=True)
    user.start()
    user.join(PATIENCE)
    assert not user.is_alive()
    monkeypatch.setattr(heartbeat, "SILENT_SECONDS", 0.0)
    run = ended(own_store, running)
    assert run.state == State.FAILED and "SIGKILL" in run.message
    monkeypatch.undo()
    assert ended(own_store, own_queue.submit(named)).state == State.DONE


def test_a_queue_whose_worker_hangs_closes(own_store, named):
    queue = WorkerQueue(own_store)
    queue.start()
    process = psutil.Process(queue._worker.pid)
    os.kill(process.pid, signal.SIGSTOP)
    queue._worker.send("x" * 1_000_000)
    closer = threading.Thread(target=queue.close, daemon=True)
    closer.start()
    closer.join(PATIENCE)
    assert not closer.is_alive() and not process.is_running()


def test_presses_that_start_no_run_cost_nothing(own_queue, own_store, named, monkeypatch, public):
    public(runs_per_visitor=2)
    monkeypatch.setattr(jobs, "check_limits", lambda *_: None)  # the tiny model is no stranger's

    def refuse() -> None:
        raise JobError("the worker process cannot be started: no memory")

    with monkeypatch.context() as patch:
        patch.setattr(own_queue, "start", refuse)
        for _ in range(5):
            with pytest.raises(JobError, match="cannot be started"):
                own_queue.submit(named, "anna")
    assert own_store.list_runs("compare") == []
    for _ in range(2):
        ended(own_store, own_queue.submit(named, "anna"))
    with pytest.raises(JobError, match="may start 2 runs within an hour"):
        own_queue.submit(named, "anna")


def test_a_run_that_cannot_be_handed_over_fails(own_queue, own_store, named, monkeypatch):
    def refuse(_) -> None:
        raise JobError("the worker has just died")

    monkeypatch.setattr(own_queue, "start", lambda: None)
    monkeypatch.setattr(own_queue, "_hand_over", refuse)
    with pytest.raises(JobError, match="just died"):
        own_queue.submit(named)
    (run,) = own_store.list_runs("compare")
    assert (run.state, run.message) == (
        State.FAILED,
        "This run could not be started: the worker has just died.",
    )


def test_a_run_is_not_taken_for_ended_while_its_database_is_away(own_queue, own_store, monkeypatch):
    """Nor is it marked: a worker's end is looked at once the database is back."""
    run, away = Run("compare", {}, server=this_server()), [True, True, False]
    own_store.create(run)
    with monkeypatch.context() as patch:
        patch.setattr(own_store, "_away", "it is gone")
        patch.setattr(own_store, "_read", lambda *_: None)
        assert not own_queue._is_final(run.id)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(own_store, "is_away", lambda: away.pop(0))
    own_queue._unfinished = {(run.id,): worker.MAX_STARTS - 1}
    own_queue._watch(SimpleNamespace(wait=lambda: "exit code 7"))
    assert away == []
    assert "ended unexpectedly (exit code 7)" in own_store.get(run.id).message


def test_a_closed_queue_takes_no_runs_and_leaves_no_process(store, named, monkeypatch):
    queue = WorkerQueue(store)
    queue.start()
    worker = psutil.Process(queue._worker.pid)
    queue.close()
    assert not worker.is_running()
    with pytest.raises(JobError, match="closed"):
        queue.submit(named)
    monkeypatch.setattr(queue, "_end", None)
    queue.close()  # it has ended


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no process")
def test_the_worker_measures_on_a_cpu_of_its_own_and_says_so(queue, store, named):
    machine = ended(store, queue.submit(named)).result["machine"]
    available = sorted(os.sched_getaffinity(0))
    assert machine["cpus"] == len(available)
    if len(available) == 1:
        assert machine["pinned_to"] is None
    else:
        (cpu,) = machine["pinned_to"]
        assert cpu in available


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no process")
def test_a_busy_cpu_is_left_to_others(monkeypatch):
    monkeypatch.setattr(machine, "BUSY_SECONDS", 0.2)
    before = sorted(os.sched_getaffinity(0))
    if len(before) == 1:
        pytest.skip("there is one CPU")
    spin = f"import os; os.sched_setaffinity(0, [{before[-1]}])\nwhile True: pass"
    spinner = subprocess.Popen([sys.executable, "-c", spin])
    try:
        process = psutil.Process(spinner.pid)
        wait_for(lambda: process.cpu_affinity() == before[-1:], "the spinner")
        with machine.pinned(1):
            assert sorted(os.sched_getaffinity(0)) != before[-1:]
        assert sorted(os.sched_getaffinity(0)) == before
        with machine.pinned(len(before)):
            assert sorted(os.sched_getaffinity(0)) == before
    finally:
        spinner.kill()
        spinner.wait()


def test_bad_input_fails_the_run_with_its_message(queue, store, named):
    run = ended(store, queue.submit(replace(named, model="broken")))
    assert run.state == State.FAILED
    assert "damaged" in run.message and "model.safetensors" in run.message


def test_where_runs_cannot_be_stored_they_still_work_with_a_warning(named):
    store = RunStore("sqlite:////dev/null/runs.sqlite")
    queue = WorkerQueue(store)
    try:
        run = ended(store, queue.submit(named))
    finally:
        queue.close()
    assert run.state == State.DONE and len(run.result["results"]) == 2
    assert "not kept" in run.warning


@pytest.fixture
def port(unused_port) -> int:
    return unused_port()


@pytest.fixture
def server(own_store, named, port) -> Iterator[psutil.Process]:
    """A Streamlit server that uses the same store."""
    process = start(
        *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
        *("--server.enableAgentApi=true", "--server.headless=true"),
        *("--server.address=127.0.0.1", f"--server.port={port}"),
        env={**os.environ, "WLM_DATABASE_URL": own_store.url},
        stdout=subprocess.DEVNULL,
    )
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


def interact(port: int, **request) -> dict | None:
    """Open or use a session as a program may (Streamlit's agent API); None while there is no
    server."""
    url = f"http://127.0.0.1:{port}/_stcore/agent/interact"
    headers = {"Content-Type": "application/json"}
    body = json.dumps(request).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_stopped_server_leaves_no_process_and_its_run_is_marked(server, own_store, port, name):
    query = {"model": ["tiny"], "text": ["long"], "amount": ["All of it"]}
    page = wait_for(lambda: interact(port, query_params=query), "the server")
    run_button = next(action for action in page["actions"] if action.get("label") == "Run")
    interact(port, session_id=page["session_id"], trigger={"key": run_button["key"]})
    (run,) = own_store.unfinished()
    measuring(own_store, run.id)
    (worker,) = server.children()
    server.send_signal(getattr(signal, name))
    # The run itself would take several times as long.
    assert psutil.wait_procs([server, worker], timeout=PATIENCE)[1] == []
    # One that was told to stop has marked it; for one that was killed, the next server does.
    assert own_store.interrupt_orphans() == ([run.id] if name == "SIGKILL" else [])
    run = own_store.get(run.id)
    assert run.state == State.INTERRUPTED and run.result["results"]


@pytest.fixture(scope="module")
def sweep(named) -> SweepSpec:
    """Four quick points of the tiny model."""
    return SweepSpec("bptt", (1, 2, 5, 10), replace(named, seconds=0.3))


@pytest.fixture(scope="module")
def endless_sweep(endless) -> SweepSpec:
    return SweepSpec("bptt", (1, 2, 5, 10), endless)


def all_ended(store: RunStore, sweep_id: str) -> list[Run]:
    return [ended(store, run.id) for run in store.points_of(sweep_id)]


def test_a_sweep_measures_its_points_in_order(queue, store, sweep):
    sweep_id = queue.submit_sweep(sweep, "anna")
    assert (store.get(sweep_id).kind, store.get(sweep_id).spec) == ("sweep", sweep.to_json())
    ids = [run.id for run in store.points_of(sweep_id)]
    assert in_order_of_beginning(store, ids) == ids
    runs = all_ended(store, sweep_id)
    assert [(run.state, run.spec) for run in runs] == [
        (State.DONE, point.to_json()) for point in sweep.points()
    ]
    assert {run.visitor for run in runs} == {"anna"}
    queue.resume_sweep(sweep_id, "anna")
    assert all_ended(store, sweep_id) == runs


def test_a_sweep_and_other_runs_take_turns(queue, store, sweep, endless_sweep, named):
    sweep_id = queue.submit_sweep(endless_sweep, "anna")
    measuring(store, store.points_of(sweep_id)[0].id)
    run_id, other_id = queue.submit(named, "bert"), queue.submit_sweep(sweep, "carl")
    firsts = [run_id, store.points_of(other_id)[0].id]
    ahead = [queue.ahead_of(first)[0] for first in firsts]
    times = [store.get(run_id).created_at for run_id in (store.points_of(sweep_id)[0].id, *firsts)]
    if times == sorted(times):  # else the clock has stepped back, and bert counts as the first
        assert ahead == [1 + 1, 1 + 2]  # anna's second waits
    queue.stop_sweep(sweep_id)  # so that each of its points takes its turn, and ends at once
    others, points = ([run.id for run in store.points_of(sweep)] for sweep in (other_id, sweep_id))
    order = in_order_of_beginning(store, [*points, *others, run_id])
    assert order[0] == points[0]
    assert order.index(run_id) <= 2 and order.index(others[0]) <= 3
    assert order.index(points[2]) > order.index(others[0])


def test_a_sweep_counts_as_one_waiting_run(own_queue, sweep, named, monkeypatch):
    monkeypatch.setattr(own_queue, "start", lambda: None)  # so that all of them wait
    monkeypatch.setattr(own_queue, "_hand_over", lambda run_ids: None)
    monkeypatch.setattr(jobs, "MOST_WAITING", 2)
    own_queue.submit_sweep(sweep, "anna")
    for submit in (own_queue.submit, own_queue.submit_sweep):
        with pytest.raises(JobError, match="waiting already"):
            submit(named if submit == own_queue.submit else sweep, "anna")
    own_queue.submit(named, "bert")
    with pytest.raises(JobError, match="2 runs are waiting"):
        own_queue.submit_sweep(sweep, "carl")


def test_a_sweep_goes_on_after_the_clock_has_stepped_back(own_queue, own_store, sweep, monkeypatch):
    monkeypatch.setattr(own_queue, "start", lambda: None)
    monkeypatch.setattr(own_queue, "_hand_over", lambda run_ids: None)
    sweep_id = own_queue.submit_sweep(sweep)
    for run in own_store.points_of(sweep_id):
        own_store.update(run.id, state=State.STOPPED)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    own_queue.resume_sweep(sweep_id)
    runs = own_store.points_of(sweep_id)
    assert [run.state for run in current_points(sweep, runs)] == [State.QUEUED] * 4
    own_queue.resume_sweep(sweep_id)
    assert own_store.points_of(sweep_id) == runs


def test_a_stopped_sweep_keeps_what_is_done_and_goes_on_with_the_rest(queue, store, sweep):
    sweep = replace(sweep, base=replace(sweep.base, seconds=0.6))
    sweep_id = queue.submit_sweep(sweep)
    first = ended(store, store.points_of(sweep_id)[0].id)
    queue.stop_sweep(sweep_id)
    stopped = all_ended(store, sweep_id)
    assert stopped[0] == first and first.state == State.DONE
    missing = [run.state for run in stopped].count(State.STOPPED)
    assert missing and [run.state for run in stopped].count(State.DONE) == 4 - missing
    queue.resume_sweep(sweep_id)
    runs = all_ended(store, sweep_id)
    assert len(runs) == 4 + missing
    now = current_points(sweep, runs)
    assert now[0] == first and [run.state for run in now] == [State.DONE] * 4


def test_a_killed_worker_fails_one_point_and_the_sweep_goes_on(queue, store, endless_sweep):
    sweep_id = queue.submit_sweep(endless_sweep)
    points = store.points_of(sweep_id)
    # As often as a worker that never starts is replaced.
    for point in points[:2]:
        measuring(store, point.id)
        os.kill(queue._worker.pid, signal.SIGKILL)
        assert "SIGKILL" in ended(store, point.id).message
    measuring(store, points[2].id)
    queue.stop_sweep(sweep_id)
    states = [run.state for run in all_ended(store, sweep_id)]
    assert states == [State.FAILED] * 2 + [State.STOPPED] * 2
    queue.resume_sweep(sweep_id)
    again = store.points_of(sweep_id)[4:]
    assert [run.spec for run in again] == [run.spec for run in points]
    measuring(store, again[0].id)


def test_a_sweep_of_a_dead_server_goes_on_in_the_next(own_store, own_queue, endless_sweep):
    program = (
        "import sys; from wlm.runs.worker import WorkerQueue;"
        "from wlm.runs.store import RunStore;"
        "from wlm.measuring.sweep import SweepSpec; import json;"
        "queue = WorkerQueue(RunStore(sys.argv[1]));"
        "queue.submit_sweep(SweepSpec.from_json(json.loads(sys.argv[2])));"
        "sys.stdin.read()"
    )
    arguments = [own_store.url, json.dumps(endless_sweep.to_json())]
    server = start(sys.executable, "-c", program, *arguments, stdin=subprocess.PIPE)
    try:
        first = wait_for(lambda: next(iter(own_store.unfinished()), None), "the first point")
        measuring(own_store, first.id)
    finally:
        server.kill()
        server.wait()
    assert len(own_store.interrupt_orphans()) == 4
    runs = own_store.points_of(first.sweep)
    assert {run.state for run in runs} == {State.INTERRUPTED}
    own_queue.resume_sweep(first.sweep)
    again = own_store.points_of(first.sweep)[4:]
    assert [run.spec for run in again] == [run.spec for run in runs]
    measuring(own_store, again[0].id)


def test_a_deleted_run_does_not_hold_up_the_next(queue, store, named):
    run = ended(store, queue.submit(named, "anna"))
    store.delete(run.id, "anna")
    assert ended(store, queue.submit(named, "anna")).state == State.DONE


def test_a_prefetched_job_measures_at_once(queue, store, named, monkeypatch):
    queue.start()  # nobody is told where no worker runs
    written = []
    monkeypatch.setattr(queue._worker, "suggest", lambda line: written.append(line))
    queue.prefetch(named)
    queue.prefetch(named)  # it was told so a moment ago
    queue.prefetch(replace(named, threads=2))
    (line,) = written
    assert json.loads(line) == {"kind": "compare", "spec": named.to_json()}
    monkeypatch.undo()
    queue.prefetch(named)
    assert ended(store, queue.submit(named)).state == State.DONE


@pytest.fixture
def did(monkeypatch) -> Iterator[Callable[..., list[str]]]:
    """Has the worker's loop take lines, and returns so many things that it did."""
    ended, exited = threading.Event(), threading.Event()
    monkeypatch.setattr(worker.os, "_exit", lambda _: exited.set())
    monkeypatch.setattr(worker, "PREFETCH_SECONDS", PATIENCE)

    def work(*given: str, most: int) -> list[str]:
        done, read = [], threading.Event()

        def lines() -> Iterator[str]:
            yield from given
            read.set()
            ended.wait()

        def do(what: str) -> None:
            done.append(what)
            if len(done) == most:
                raise InterruptedError

        beats = dict.fromkeys(("start", "step", "rest"), lambda: None)

        class Prefetch:
            make = staticmethod(lambda spec, *_: do(f"prefetch {spec.model}"))
            drop = staticmethod(lambda: do("drop it"))

        monkeypatch.setattr(worker, "RunStore", lambda **_: read.wait(PATIENCE))
        monkeypatch.setattr(worker, "execute", lambda run_id, *_, **__: do(run_id))
        monkeypatch.setattr(worker, "give_back", lambda: do("give back"))
        monkeypatch.setattr(worker, "Prefetch", Prefetch)
        monkeypatch.setattr(worker, "Heartbeat", lambda *_: SimpleNamespace(**beats))
        with pytest.raises(InterruptedError):
            worker.work(lines())
        return done

    yield work
    ended.set()
    exited.wait(PATIENCE)  # or the real one would end the tests


def test_the_worker_does_groups_in_turn_and_gives_memory_back_after_each_run(did):
    done = did("a b\n", "c\n", most=6)
    assert done == ["a", "give back", "c", "give back", "b", "give back"]


def test_the_worker_drops_a_job_that_nobody_asks_for(did, named, monkeypatch):
    monkeypatch.setattr(worker, "PREFETCH_SECONDS", 0.01)
    line = json.dumps({"kind": "compare", "spec": named.to_json()})
    assert did(f"{line}\n", most=3) == ["prefetch tiny", "drop it", "give back"]
