"""The queue of runs on a real Dask cluster of several processes."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from helpers.dask_cluster import Cluster
from helpers.waiting import ended, wait_for
from wlm.errors import JobError
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs import cluster
from wlm.runs.cluster import ClusterQueue, run_on_worker
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore
from wlm.runs.sweep_points import current_points
from wlm.runs.worker import WorkerQueue, open_queue

pytestmark = pytest.mark.slow


@pytest.fixture
def store(own_database) -> RunStore:
    """The store that the environment names, to the cluster's workers too."""
    return RunStore(own_database)


@pytest.fixture
def spec(model_folder, text_file, monkeypatch) -> SweepSpec:
    """A sweep of the tiny model that does not end by itself, for this process and workers."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    return SweepSpec(
        "bptt", (1, 2, 5, 10), CompareSpec(model="tiny", text="short", seconds=80_000.0)
    )


@pytest.fixture
def dask(spec, unused_port) -> Iterator[Cluster]:
    """A scheduler, and workers with the environment of `spec` as they are added."""
    dask = Cluster(unused_port())
    yield dask
    dask.close()


@pytest.fixture
def queue(store, dask) -> Iterator[ClusterQueue]:
    queue = ClusterQueue(store, dask.address)
    yield queue
    queue.close()


class Scheduler:
    """A client of a cluster that tells of these workers' resources, or of nothing."""

    status = "running"

    def __init__(self, *workers: dict):
        self.workers = workers

    def scheduler_info(self, n_workers: int) -> dict:
        if not self.workers:
            raise OSError("no answer")
        return {"workers": {i: {"resources": worker} for i, worker in enumerate(self.workers)}}

    def close(self, timeout: float = 0.0) -> None:
        self.status = "closed"


@pytest.mark.parametrize(
    ("workers", "well", "sentence"),
    [
        ([{"gpu": 1.0}], False, "The cluster has no worker that was started by `dask worker "),
        ([{"gpu": 1.0}, {"wlm": 1.0}], True, "Cluster: ready."),
        ([], True, "Cluster: ready."),  # what is not known is not said
    ],
)
def test_a_page_is_told_whether_a_worker_measures(store, monkeypatch, workers, well, sentence):
    monkeypatch.setattr(cluster, "Client", lambda *_, **__: Scheduler(*workers))
    queue = ClusterQueue(store, "tcp://cluster:8786")
    there, said = queue.worker()
    assert there == well and said.startswith(sentence)
    queue.close()
    assert queue.worker() == (
        False,
        "No cluster: the queue of runs is closed: the server is stopping.",
    )
    with pytest.raises(JobError, match="the queue of runs is closed"):
        queue.submit(CompareSpec())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("lost", "it has lost the run"),
        (
            "finished",
            "its workers write to another database than the server's, see WLM_DATABASE_URL",
        ),
    ],
)
def test_what_the_cluster_did_not_do_is_marked_once_the_database_is_back(
    store, monkeypatch, status, reason
):
    queue, client, away = ClusterQueue(store, "tcp://cluster:8786"), Scheduler(), [True, True]
    run = Run("compare", {})
    store.create(run)
    queue._futures = {run.id: SimpleNamespace(status=status, release=client.close)}

    monkeypatch.setattr(cluster, "WATCH_SECONDS", 0.0)
    monkeypatch.setattr(store, "is_away", lambda: bool(away and away.pop()))
    queue._follow(client)
    assert not away and store.get(run.id).state == State.FAILED
    message = f"The Dask cluster did not do this run: {reason}."
    assert store.get(run.id).message == message


def test_points_run_side_by_side_and_a_killed_worker_loses_none(queue, store, dask, spec):
    for _ in range(3):
        dask.add_worker()
    dask.warm_up(queue)
    quick = replace(spec, base=replace(spec.base, seconds=0.3))
    runs = [ended(store, run.id) for run in store.points_of(queue.submit_sweep(quick, "anna"))]
    assert [(run.state, run.message) for run in runs] == [(State.DONE, "")] * 4
    assert [run.result["protocol"]["bptt"] for run in runs] == [1, 2, 5, 10]
    assert all(run.result["machine"]["host"] for run in runs)
    assert current_points(quick, runs) == runs

    two_of_three = replace(spec, values=(1, 2))
    sweep_id = queue.submit_sweep(two_of_three, "anna")

    def running() -> list:
        runs = [store.get(run.id) for run in store.points_of(sweep_id)]
        return [run for run in runs if run.state == State.RUNNING and run.result]

    wait_for(lambda: len(running()) >= 2, "two points side by side")
    begun = {run.id: run.started_at for run in running()}
    victims = {key: address for address, keys in queue._client.processing().items() for key in keys}
    run_id, address = next((key.removeprefix("wlm-"), at) for key, at in victims.items())
    began = store.get(run_id).started_at
    os.kill(queue._client.run(os.getpid, workers=[address])[address], signal.SIGKILL)
    # Only the victim's run is begun anew.
    wait_for(lambda: store.get(run_id).started_at != began, "another worker at the victim's run")
    queue.stop_sweep(sweep_id)
    runs = [ended(store, run.id) for run in store.points_of(sweep_id)]
    assert [(run.state, run.message) for run in runs] == [(State.STOPPED, "")] * 2
    assert all(
        run.started_at == begun.get(run.id, run.started_at) for run in runs if run.id != run_id
    )


def test_a_dead_workers_run_waits_for_another_worker_and_begins_anew(queue, store, dask, spec):
    dask.add_worker()
    run_id = queue.submit(spec.points()[0])
    first = wait_for(lambda: (run := store.get(run_id)).result and run, "the first numbers")
    dask.workers[0].kill()
    dask.add_worker()
    wait_for(lambda: store.get(run_id).started_at != first.started_at, "the other worker")
    queue.stop(run_id)
    run = ended(store, run_id)
    assert (run.state, run.message) == (State.STOPPED, "")


def test_without_workers_that_measure_runs_fail_with_the_reason(
    queue, store, dask, spec, monkeypatch
):
    monkeypatch.setattr(cluster, "WITHOUT_WORKERS_SECONDS", 1.0)
    dask.add_worker(resources="gpu=1")
    run = ended(store, queue.submit(spec.points()[0]))
    assert run.state == State.FAILED
    assert "no worker" in run.message and "--resources wlm=1" in run.message


def test_a_dead_scheduler_fails_what_is_unfinished(queue, store, dask, spec):
    dask.add_worker()
    sweep_id = queue.submit_sweep(spec)
    ids = [run.id for run in store.points_of(sweep_id)]
    wait_for(lambda: any(store.get(run_id).result for run_id in ids), "the first numbers")
    dask.scheduler.kill()
    runs = [ended(store, run_id) for run_id in ids]
    failed = [run for run in runs if run.state == State.FAILED]
    assert failed and all(
        "scheduler is gone" in run.message or "lost" in run.message for run in failed
    )
    with pytest.raises(JobError, match="none answers"):
        queue.submit(spec.points()[0])


def test_a_worker_that_cannot_use_the_database_says_so(queue, store, dask, spec, monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    dask.add_worker()
    run = ended(store, queue.submit(spec.points()[0]))
    assert run.state == State.FAILED
    assert "cannot use the database" in run.message and "/dev/null" in run.message


def test_a_worker_with_another_database_than_the_servers_says_so(store, tmp_path, monkeypatch):
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    monkeypatch.setenv("WLM_DATABASE_URL", other)
    with pytest.raises(JobError) as refused:
        run_on_worker("one", store.url)
    assert str(refused.value) == (
        f"a worker reads the database {other}, and there is no run 'one': see WLM_DATABASE_URL"
    )


def test_a_worker_whose_database_takes_no_more_says_so(store, monkeypatch):
    """What it then writes, nobody else can read."""

    def execute(run_id: str, store: RunStore, **_) -> None:
        store._reason = "database or disk is full"

    monkeypatch.setattr(cluster, "execute", execute)
    monkeypatch.setattr(cluster, "_stores", {})
    with pytest.raises(JobError, match=r"cannot use the database\. .* is full"):
        run_on_worker("one", store.url)


def test_wlm_dask_chooses_the_cluster_and_says_what_is_wrong(store, monkeypatch, unused_port):
    monkeypatch.delenv("WLM_DASK", raising=False)
    assert type(open_queue(store)) is WorkerQueue
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    for address in (f"tcp://127.0.0.1:{unused_port()}", "nonsense://x", "tcp://"):
        monkeypatch.setenv("WLM_DASK", address)
        queue = open_queue(store)
        with pytest.raises(JobError, match=r"none answers at '"):
            queue.submit(CompareSpec())
        assert store.list_runs("compare") == []
    monkeypatch.setattr(cluster, "Client", None)
    with pytest.raises(JobError, match="pip install distributed"):
        open_queue(store)
