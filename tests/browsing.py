"""What journeys through a browser share: when a page is idle, and what is done on it."""

from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page
from waiting import PATIENCE

IDLE = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)


def new_context(browser: Browser, **options) -> BrowserContext:
    """Return a browser's window with cookies of its own, as patient as all of the tests."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1_000)
    return context


def choose_file(place: Locator, file: Path) -> None:
    """Choose a file and wait until it has come: a press before is lost on the form's button."""
    with place.page.expect_response(lambda answer: "/upload_file/" in answer.url):
        place.locator("input[type=file]").set_input_files(file)


def stop_button(page: Page) -> Locator:
    """The page's own: Streamlit's header has one of that name while a script runs."""
    return page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)


def metric(page: Page, label: str = "") -> Locator:
    """The cards of that label, or all: not those of before, that stand below until a page has
    been drawn whole."""
    drawn = page.locator("[data-testid=stElementContainer][data-stale=false]")
    return drawn.get_by_test_id("stMetric").filter(has_text=label)
