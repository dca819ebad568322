"""Things of which a server has one."""

import threading
import time

import pytest
import streamlit as st

from view.models.fetches import background
from view.sample.write_queue import _queue
from view.shared import server, singleton


def test_threads_that_ask_at_once_get_the_same_thing():
    made, got = [], []

    @singleton.singleton
    def thing() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    threads = [threading.Thread(target=lambda: got.append(thing())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and got == made * 5


def test_what_cannot_be_made_is_tried_again():
    outcomes = iter([ValueError("no"), "made"])

    @singleton.singleton
    def thing() -> str:
        if isinstance(outcome := next(outcomes), Exception):
            raise outcome
        return outcome

    with pytest.raises(ValueError, match="no"):
        thing()
    assert thing() == thing() == "made"


@pytest.mark.parametrize("shared", [server.models, background, _queue])
def test_clearing_streamlits_caches_leaves_what_all_visitors_share(shared):
    before = shared()
    st.cache_data.clear()
    st.cache_resource.clear()
    assert shared() is before
