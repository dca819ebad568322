"""The Models page through Streamlit's own test runner."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import open_page, press
from helpers.mirror import Mirror
from wlm.catalog.fetch import fetch

MODELS = Path(__file__).resolve().parents[2] / "pages" / "6_Models.py"

pytestmark = pytest.mark.usefixtures("queue")


def open_models() -> AppTest:
    page = open_page(MODELS)
    assert not page.exception
    return page


def until_fetched(page: AppTest) -> AppTest:
    """Run the page again, as its fragment does, until the fetch has ended."""
    for _ in range(200):
        if not any(button.label == "Stop" for button in page.button):
            return page
        page.run()
    raise AssertionError("the fetch does not end")


def labels(page: AppTest) -> list[str]:
    """The buttons, without those that take an upload."""
    return [button.label for button in page.button if not button.label.startswith("Upload ")]


def test_the_page_says_what_is_here():
    page = open_models()
    words = " ".join(element.value for element in [*page.markdown, *page.caption])
    assert "wikitext2\\-lstm" in words and "CC BY\\-SA 3\\.0" in words
    assert "SHA-256 `00a498bd" in words
    assert "**demo**" in words and "MIT" in words and "**tiny**" in words
    sizes = {metric.label: metric.value for metric in page.metric}
    assert sizes["In fp32, MB"] == "113.9"  # as on every page
    assert "File on disk: 57.0 MB" in words.replace("\\", "")
    assert sizes["In fp32, kB"] == "4.1" and sizes["On disk, kB"]
    (loss,) = (metric for metric in page.metric if "loss" in metric.label)
    assert (loss.value, loss.delta) == ("4.7227", "6.2% unknown")
    assert labels(page) == ["Download WikiText-2", "Download the tutorial's weights"]


def test_a_fetch_ends_with_the_text_in_the_lists(mirror: Mirror):
    page = until_fetched(press(open_models(), "Download WikiText-2"))
    assert not page.error
    assert labels(page) == ["Download the tutorial's weights"]
    assert any("Downloaded" in markdown.value for markdown in page.markdown)
    compare = open_page(text="wikitext-2")
    assert compare.selectbox(key="text").value == "wikitext-2"


def test_a_failed_fetch_is_said_with_what_to_do(mirror: Mirror):
    mirror.faults["test.txt"] = "dies half-way"
    page = until_fetched(press(open_models(), "Download WikiText-2"))
    assert "the connection broke" in page.error[0].value
    assert "Try again, or give another source" in page.error[0].value
    assert labels(page) == ["Download WikiText-2", "Download the tutorial's weights"]
    assert not open_models().error  # another visitor's page


def test_while_one_fetch_runs_no_other_begins_and_anyone_may_stop_it(mirror: Mirror):
    mirror.faults["train.txt"] = "stalls"
    page = press(open_models(), "Download WikiText-2")
    other = open_models()  # of another visitor
    assert labels(other) == ["Stop", "Download the tutorial's weights"]
    assert other.button(key="get-tutorial-weights").disabled
    press(other, "Stop")
    mirror.go_on.set()
    assert not until_fetched(open_models()).error  # nobody else's business
    assert "was stopped: nothing of it is kept" in until_fetched(page.run()).error[0].value


def test_a_damaged_fetched_model_does_not_hide_the_others(mirror: Mirror, model_folder):
    fetch("wikitext-2")
    (model_folder / "card.json").write_text("[]", "utf-8")
    page = open_models()
    assert len(page.error) == 1 and "tiny" in page.error[0].value
    assert any("wikitext\\-2" in markdown.value for markdown in page.markdown)
