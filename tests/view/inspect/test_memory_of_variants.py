"""The memory of variants on a page: measured once by a worker, then kept."""

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import press
from helpers.waiting import PATIENCE
from wlm.measuring import memory
from wlm.measuring.memory import Memory
from wlm.runs.execute import execute
from wlm.runs.run import State

FOUND = Memory(2_000_000, 3_000_000, "USS")
BOTH = ["fp32: 2 MB, 2.0 times the file", "int8 LSTM + Linear: 2 MB, 4.0 times the file"]


def script() -> None:
    from view.inspect.bytes import show_memory
    from wlm.quantization.variant import Variant

    show_memory("tiny", [Variant(), Variant.parse("int8")], [1_000_000, 500_000])


@pytest.fixture
def page(queue) -> AppTest:
    return AppTest.from_function(script, default_timeout=PATIENCE).run()


def known(page: AppTest) -> list[str]:
    return [f"{card.label}: {card.value}, {card.delta}" for card in page.metric]


def test_a_button_measures_in_a_run_whose_memory_is_then_known(page, queue, monkeypatch):
    assert not page.exception and known(page) == []
    press(page, "Measure memory")
    (run,) = queue.store.unfinished()
    assert (run.kind, run.spec["variants"]) == ("memory", ["fp32", "int8"])
    assert "2 ahead of you" in page.get("progress")[0].proto.text
    assert [button.label for button in page.button] == ["Stop"]
    monkeypatch.setattr(memory, "_measure", lambda *_: iter([None, FOUND]))
    execute(run.id, queue.store)
    page.run()
    assert not page.exception and not page.button
    assert known(page) == BOTH
    del page.query_params["memory"]
    assert known(page.run()) == BOTH


def test_a_run_on_another_machine_brings_its_memory(page, queue):
    press(page, "Measure memory")
    (run,) = queue.store.unfinished()
    rows = [{"variant": "int8", "label": "int8", "memory": vars(FOUND)}]
    queue.store.update(run.id, state=State.STOPPED, result={"results": rows})
    page.run()
    assert known(page) == BOTH[1:]
    assert page.info[0].value.startswith("Stopped early")
    press(page, "Measure memory")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == ["fp32"]


def test_a_link_of_another_model_or_to_nowhere_changes_nothing(page, queue):
    for query in ("nowhere", ""):
        page.query_params["memory"] = query
        page.run()
        assert not page.exception and not page.info
        assert [button.label for button in page.button] == ["Measure memory"]
