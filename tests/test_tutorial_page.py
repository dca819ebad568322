"""The guided tour: each step shows its result, and the way through it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_pages import open_page, press, queue  # noqa: F401  a fixture

from view import tour
from wlm import onnx_export
from wlm.recordings import recordings
from wlm.runs import State

PAGE = Path(__file__).resolve().parent.parent / "pages" / "5_Tutorial.py"

pytestmark = pytest.mark.usefixtures("queue")


def opened(**query: str) -> AppTest:
    return open_page(PAGE, **query)


@pytest.mark.parametrize("number", range(1, 7))
def test_each_step_has_an_address_a_result_and_code(number):
    page = opened(step=str(number))
    assert not page.exception and not page.error
    assert page.title[0].value == f"{number}. {tour.STEPS[number - 1].title}"
    assert "wlm" in page.code[0].value


def test_next_and_back_walk_through():
    page = opened()
    for number in range(2, 7):
        page = press(page, "Next")
        assert page.title[0].value.startswith(f"{number}. ")
    assert next(each for each in page.button if each.label == "Next").disabled
    page = press(page, "Back")
    assert page.title[0].value.startswith("5. ")
    assert not page.exception


@pytest.mark.parametrize("asked", ["99", "abc", "-1", "1e999", ""])
def test_an_unknown_step_is_the_first(asked):
    page = opened(step=asked)
    assert not page.exception and page.title[0].value.startswith("1. ")
    assert next(each for each in page.button if each.label == "Back").disabled


def test_the_text_and_a_sample_are_live():
    metrics = {each.label: each.value for each in opened(step="2").metric}
    assert metrics["Words the model knows"] == "33,278"
    page = opened(step="3")
    first = page.markdown[1].value
    page = press(page, "Another")
    assert page.markdown[1].value != first and len(first.split()) > 20


@pytest.mark.parametrize(("step", "mb"), [("4", "79.7"), ("6", "28.6")])
def test_a_recorded_run_is_shown_first(step, mb):
    page = opened(step=step)
    assert {each.label: each.value for each in page.metric}["Size, MB"] == mb
    assert "Run" in [each.label for each in page.button] and not page.info


def test_without_a_recorded_run_the_step_says_what_run_does(monkeypatch):
    monkeypatch.setattr(tour, "recording", lambda *_: None)
    page = opened(step="6")
    assert not page.metric and "Press **Run**" in page.info[0].value


@pytest.mark.parametrize("present", ["false", "true"])
def test_without_onnx_runtime_the_step_shows_what_was_recorded(monkeypatch, present):
    monkeypatch.setattr(onnx_export, "PACKAGES", ("onnx", "no_such_package"))
    page = opened(step="6", present=present)
    assert not page.exception and not page.error
    assert "not installed here" in page.info[0].value
    assert "Run" not in [each.label for each in page.button]
    assert {each.label: each.value for each in page.metric}["Size, MB"] == "28.6"


def test_run_measures_here(queue):  # noqa: F811
    """The run is shown while it waits, and its own numbers when it has ended."""
    page = press(opened(step="4"), "Run")
    (run,) = queue.store.list_runs("compare")
    assert run.spec["variants"] == ["fp32", "int8"] and run.spec["model"] == "wikitext2-lstm"
    assert "Stop" in [each.label for each in page.button]
    press(page, "Stop")
    assert queue.stopped == [run.id]
    result = next(iter(recordings().values())).result
    queue.store.update(run.id, state=State.DONE, result=result)
    page.run()
    assert not page.exception and "Stop" not in [each.label for each in page.button]
    assert "Size, MB" in [each.label for each in page.metric]


def test_what_is_said_are_the_models_own_numbers():
    """Sizes by hand, from 33,278 words, 512 and 256 values and five layers."""
    weights = 33_278 * 512 + 4 * 256 * (512 + 256) + 4 * 4 * 256 * 512 + 5 * 2 * 4 * 256
    weights += 33_278 * 257
    assert f"left {round(weights / 1e6)} million numbers" in tour.about_the_weights()
    assert "into 512 values, 5 LSTM layers" in tour.about_the_model()
    share = round(100 * (1 - 79_738_939 / 113_944_455))
    assert f"shrinks by {share}% only" in tour.about_the_rest()
    assert "68.2 of the 79.7 MB" in tour.about_the_rest()


def test_a_presenter_has_no_menu_and_large_type():
    page = opened(step="5", present="true")
    assert not page.exception and not page.sidebar.children
    assert page.header[0].value == tour.STEPS[4].sentences()
    assert opened(step="5").sidebar.children
