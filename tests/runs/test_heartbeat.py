"""The heartbeat of a worker, and whether it has stopped."""

import pytest

from helpers.still_clock import StillClock
from wlm.runs import heartbeat
from wlm.runs.heartbeat import (
    BEAT_SECONDS,
    SILENT_SECONDS,
    START_SECONDS,
    STEP_SECONDS,
    Heartbeat,
    Watch,
)


@pytest.fixture
def clock(monkeypatch) -> StillClock:
    clock = StillClock()
    monkeypatch.setattr(heartbeat, "time", clock)
    return clock


def test_it_beats_unless_the_run_under_way_makes_no_step(store, clock):
    heart = Heartbeat("a", store)
    heart.beat()
    heart.step()
    clock.now += STEP_SECONDS - 1.0
    heart.beat()
    assert store.signs() == {"a": 2}
    clock.now += 2.0
    heart.beat()
    assert store.signs() == {"a": 2}
    heart.step()
    heart.beat()
    heart.rest()
    clock.now += 2 * STEP_SECONDS
    heart.beat()
    assert store.signs() == {"a": 4}


def looks(watch: Watch, clock, seconds: float) -> bool:
    """Look every few seconds for so long; return the last answer."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += BEAT_SECONDS
        stopped = watch.has_stopped()
    return stopped


def test_a_heartbeat_that_stops_is_noticed_later_if_it_has_not_begun(store, clock):
    store.give_sign("a")  # of an earlier worker
    watch = Watch("a", store)
    assert not looks(watch, clock, START_SECONDS) and not watch.has_beaten
    assert looks(watch, clock, BEAT_SECONDS)
    store.give_sign("a")
    assert not looks(watch, clock, SILENT_SECONDS) and watch.has_beaten
    assert looks(watch, clock, 2 * BEAT_SECONDS)
    store.forget_server("a")
    assert looks(watch, clock, BEAT_SECONDS)


def test_nothing_is_known_while_the_store_takes_nothing_or_after_a_suspension(
    store, clock, monkeypatch
):
    watch = Watch("a", store)
    store.give_sign("a")
    looks(watch, clock, BEAT_SECONDS)
    monkeypatch.setattr(store, "_reason", "full")
    assert not looks(watch, clock, 2 * SILENT_SECONDS)
    monkeypatch.setattr(store, "_reason", "")
    clock.now += 2 * SILENT_SECONDS  # this process was suspended
    assert not watch.has_stopped()
    assert looks(watch, clock, SILENT_SECONDS + BEAT_SECONDS)
