"""What a visitor may start on a server whose visitors nobody knows."""

import re

import pytest

from wlm.catalog.registry import random_name
from wlm.errors import JobError, SettingError
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.memories import MemorySpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs import limits
from wlm.runs.limits import Allowance, check_limits
from wlm.runs.queue import JobQueue
from wlm.runs.run import Run, State


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def start(allowance: Allowance, visitor: str, runs: int = 1) -> None:
    """Start runs, as a queue does."""
    allowance.check(visitor, runs)
    for _ in range(runs):
        allowance.take(visitor)


def test_a_visitor_may_start_so_many_runs_and_learns_when_the_next(public, clock):
    public(runs_per_visitor=3)
    allowance = Allowance(clock=clock)
    for _ in range(3):
        start(allowance, "anna")
        clock.now += 60.0
    with pytest.raises(JobError) as error:
        allowance.check("anna")
    assert str(error.value) == (
        "each visitor of this server may start 3 runs within an hour: the next may start in about "
        "57 minutes"
    )
    start(allowance, "bert")
    clock.now += 57 * 60.0
    start(allowance, "anna")
    with pytest.raises(JobError, match="in about a minute"):
        allowance.check("anna")


def test_one_run_is_one(public, clock):
    public(runs_per_visitor=1)
    allowance = Allowance(clock=clock)
    start(allowance, "anna")
    with pytest.raises(JobError, match="may start 1 run within an hour"):
        allowance.check("anna")


def test_a_sweep_takes_as_many_as_it_has_points(public, clock):
    public(runs_per_visitor=5)
    allowance = Allowance(clock=clock)
    start(allowance, "anna", 3)
    with pytest.raises(JobError, match="3 more may start in about 60 minutes"):
        allowance.check("anna", 3)
    start(allowance, "anna", 2)
    with pytest.raises(JobError, match="may start 5 runs within an hour, got 6 at once"):
        allowance.check("bert", 6)


def test_other_names_from_one_address_and_all_together_are_bounded(public, clock):
    public(runs_per_visitor=2, runs_per_address=3, runs_per_server=5)
    where = ["here"]
    allowance = Allowance(address=lambda: where[0], clock=clock)
    for name in ("a", "b", "c"):
        start(allowance, name)
    with pytest.raises(JobError, match="all visitors of one network may start 3"):
        allowance.check("d")
    where[0] = "elsewhere"
    start(allowance, "d", 2)
    where[0] = ""
    with pytest.raises(JobError, match="all visitors of this server may start 5"):
        allowance.check("e")


def test_where_no_strangers_come_nothing_is_counted(clock):
    allowance = Allowance(clock=clock)
    for _ in range(1000):
        start(allowance, "anna")
    assert allowance._started == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"variants": ("fp32", "int8", "fp32", "int8")},
            "the number of variants must be .* 1 to 3",
        ),
        ({"threads": 2}, "threads must be a whole number from 1 to 1 (on this server), got 2"),
        ({"batch_size": 9}, "batch_size must be a whole number from 1 to 8 "),
        ({"batch_size": 8, "bptt": 26}, "bptt * batch_size must be a whole number from 1 to 200 "),
        ({"seconds": 5.5}, "seconds must be a number from 0.1 to 5.0 (on this server), got 5.5"),
        ({"model": random_name(65)}, "the hidden size must be a whole number from 1 to 64 "),
        ({"model": "/etc/passwd"}, "the model must be one of "),
        ({"model": "assets/models/wikitext2-lstm"}, "the model must be one of "),
        ({"text": "upload-0123456789ab"}, "the text must be one of "),
        ({"text": "../../etc/passwd"}, "the text must be one of "),
        ({"corpus": "/etc"}, "for the command line alone"),
    ],
)
def test_settings_beyond_a_servers_limits_are_refused(public, monkeypatch, changes, words):
    monkeypatch.setattr("wlm.measuring.evaluate.cpu_count", lambda: 8)
    spec = CompareSpec(**changes)
    check_limits(spec, "anna")
    public(variants=3, threads=1, batch_size=8, chunk=200, seconds=5, hidden=64)
    pattern = words.replace(".*", "\0")
    with pytest.raises(SettingError, match=re.escape(pattern).replace("\0", ".*")):
        check_limits(spec, "anna")


def test_settings_within_the_limits_are_taken(public):
    public()
    check_limits(CompareSpec(seconds=6.0), "anna")
    check_limits(CompareSpec(), "anna")  # the worker ends it
    check_limits(InspectSpec(), "anna")
    for point in SweepSpec("hidden", (8, 512), CompareSpec(seconds=8.0)).points():
        check_limits(point, "anna")


class Idle(JobQueue):
    """A queue that does nothing."""

    _start = _end = lambda self: None
    worker = lambda self: (True, "")  # noqa: E731

    def _hand_over(self, run_ids) -> None:
        pass


@pytest.fixture
def queue(store) -> JobQueue:
    return Idle(store)


def test_a_queue_starts_nothing_beyond_the_limits(public, queue, store):
    public(runs_per_visitor=2, seconds=5)
    with pytest.raises(SettingError, match="seconds"):
        queue.submit(CompareSpec(seconds=6.0), "anna")
    with pytest.raises(SettingError, match="hidden size"):
        queue.submit_sweep(SweepSpec("hidden", (8, 1024), CompareSpec(seconds=1.0)), "anna")
    with pytest.raises(JobError, match="got 3 at once"):
        queue.submit_sweep(SweepSpec("bptt", (1, 2, 3), CompareSpec(seconds=1.0)), "anna")
    assert store.unfinished() == [] and store.list_runs("sweep") == []
    sweep_id = queue.submit_sweep(SweepSpec("bptt", (1, 2), CompareSpec(seconds=1.0)), "anna")
    for run in store.points_of(sweep_id):
        store.update(run.id, state=State.STOPPED)
        store.delete(run.id, "anna")  # which gives nothing back
    with pytest.raises(JobError, match="within an hour"):
        queue.resume_sweep(sweep_id, "anna")
    with pytest.raises(JobError, match="within an hour"):
        queue.submit(CompareSpec(seconds=1.0), "anna")
    queue.submit(CompareSpec(seconds=1.0), "bert")


def test_a_stranger_stops_its_own_runs_alone(public, queue, store):
    run_id = queue.submit(CompareSpec(), "anna")
    queue.stop(run_id, "bert")  # in a room of people who know each other
    assert store.get(run_id).stop_requested
    public()
    run_id = queue.submit(CompareSpec(), "carl")
    with pytest.raises(JobError, match="only by the visitor who started it"):
        queue.stop(run_id, "bert")
    assert not store.get(run_id).stop_requested
    queue.stop(run_id, "carl")
    assert store.get(run_id).stop_requested


def test_a_stranger_imports_nothing(public, queue, store):
    public()
    with pytest.raises(SettingError, match="importing is switched off"):
        queue.add_imported(Run("compare", {}, state=State.DONE, origin="imported"))
    assert store.list_runs("compare") == []
    assert limits.most_seconds() == 30.0


def test_visitors_of_the_same_network_are_counted(public):
    public()
    where = ["hall"]
    allowance = Allowance(lambda: where[0])
    for visitor in ("ann", "bob"):
        start(allowance, visitor)
    assert allowance.neighbors(["ann", "bob", "carl"]) == 2
    assert allowance.neighbors(["carl"]) == 0
    for where[0] in ("elsewhere", ""):
        assert allowance.neighbors(["ann", "bob"]) == 0


def test_memory_has_the_limits_of_other_runs(public, named):
    public(variants=2)
    check_limits(MemorySpec(("fp32", "int8"), "tiny"), "anna")
    with pytest.raises(SettingError, match="the model must be one of"):
        check_limits(MemorySpec(("fp32",), "/etc/passwd"), "anna")
    with pytest.raises(SettingError, match="the number of variants must be"):
        check_limits(MemorySpec(("fp32", "int8", "onnxruntime:"), "tiny"), "anna")
