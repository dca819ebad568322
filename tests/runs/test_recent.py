"""Runs read once, however many pages show them."""

import threading

import pytest

from helpers.still_clock import StillClock
from wlm.errors import StoreError
from wlm.runs import recent
from wlm.runs.recent import RecentRuns
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore


class CountedStore(RunStore):
    """A store that notes what is read of it."""

    def __init__(self, url: str):
        super().__init__(url)
        self.read: list[str] = []

    def get(self, run_id: str) -> Run:
        self.read.append("result")
        return super().get(run_id)

    def glance(self, run_id: str) -> Run:
        self.read.append("row")
        return super().glance(run_id)

    def unfinished(self) -> list[Run]:
        self.read.append("line")
        return super().unfinished()

    def points_of(self, sweep_id: str) -> list[Run]:
        self.read.append("rows")
        return super().points_of(sweep_id)


@pytest.fixture
def store(tmp_path) -> CountedStore:
    return CountedStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")


@pytest.fixture
def clock(monkeypatch) -> StillClock:
    clock = StillClock()
    monkeypatch.setattr(recent, "time", clock)
    return clock


def test_many_followers_of_a_run_cost_one_query(store, clock):
    store.create(Run("compare", {}, id="a", state=State.RUNNING, done=0.5, result={"rounds": 2}))
    runs = RecentRuns(store)
    followers = [threading.Thread(target=runs.get, args=("a",)) for _ in range(20)]
    for follower in followers:
        follower.start()
    for follower in followers:
        follower.join()
    assert store.read == ["row", "result"]
    assert runs.get("a") == store.get("a")


def test_a_result_is_read_again_only_when_its_run_has_gone_on(store, clock):
    store.create(Run("compare", {}, id="a", state=State.RUNNING, done=0.5, result={"rounds": 2}))
    runs = RecentRuns(store)
    first = runs.get("a").result
    clock.now += 1.0
    store.update("a", stop_requested=True)
    assert runs.get("a").stop_requested and runs.get("a").result is first
    store.update("a", done=0.75, result={"rounds": 3})
    assert runs.get("a").result == {"rounds": 2}  # as it stood a moment ago
    clock.now += 1.0
    assert runs.get("a").result == {"rounds": 3}
    store.update("a", state=State.DONE)
    runs.forget()
    assert runs.get("a").state == State.DONE
    assert store.read == "row result row row result row result".split()


def test_the_points_of_a_sweep_are_one_query_and_each_result_once(store, clock):
    for id in "ab":
        run = Run("compare", {}, id=id, state=State.DONE, done=1.0, result={"of": id}, sweep="s")
        store.create(run)
    runs = RecentRuns(store)
    for _ in range(3):
        assert [run.result for run in runs.points_of("s")] == [{"of": "a"}, {"of": "b"}]
    clock.now += 1.0
    runs.points_of("s")
    assert store.read == ["rows", "result", "result", "rows"]


def test_who_wait_in_line_ask_for_it_once(store, clock):
    store.create(Run("compare", {}, id="a"))
    runs = RecentRuns(store)
    for _ in range(3):
        assert [run.id for run in runs.unfinished()] == ["a"]
    runs.forget()
    runs.unfinished()
    assert store.read == ["line", "line"]


def test_results_are_kept_up_to_a_number_and_a_size(store, clock, monkeypatch):
    monkeypatch.setattr(recent, "MOST_RESULTS", 3)
    monkeypatch.setattr(recent, "MOST_BYTES", 1000)
    for id in "abcd":
        store.create(Run("compare", {}, id=id, result={"blocks": [0] * 10}))
    store.create(Run("compare", {}, id="large", result={"blocks": [0] * 1000}))
    runs = RecentRuns(store)

    def read_again(ids) -> int:
        store.read.clear()
        for id in ids:
            runs.get(id)
        return store.read.count("result")

    assert read_again("abcd") == 4
    assert read_again("dcb") == 0  # the first had to go
    assert read_again(["large"]) == 1
    assert read_again(["large"]) == 0  # also where it is too large to be kept with others
    assert read_again("dcb") == 3


def test_a_run_that_was_deleted_is_gone(store, clock):
    store.create(Run("compare", {}, id="a", state=State.DONE))
    runs = RecentRuns(store)
    runs.get("a")
    store.delete("a", None)
    runs.forget()
    with pytest.raises(StoreError, match="no run 'a'"):
        runs.get("a")
