"""The guided tour: each step shows its result, and the way through it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_pages import open_page, press, queue  # noqa: F401  a fixture

from view import tour

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


def test_quantizing_shows_a_recorded_run_first():
    labels = [each.label for each in opened(step="4").metric]
    assert "Size, MB" in labels
    # No run of ONNX Runtime is recorded, and another one must not stand for it.
    page = opened(step="6")
    assert not page.metric and "Press **Run**" in page.info[0].value


def test_a_presenter_has_no_menu_and_large_type():
    page = opened(step="5", present="true")
    assert not page.exception and not page.sidebar.children
    assert page.markdown[0].value.startswith("### ")
    assert opened(step="5").sidebar.children
