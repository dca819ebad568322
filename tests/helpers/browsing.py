"""Helpers for tests in a browser: waiting for idle pages, and acting on them."""

import shutil
import tomllib
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from helpers.processes import ROOT
from helpers.waiting import PATIENCE, wait_for

WIDE = {"width": 1400, "height": 1000}
PHONE = {"width": 390, "height": 844}
MEASURE_SCREEN = Path(__file__).with_name("measure_screen.js")
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
IDLE = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)


def new_context(browser: Browser, **options) -> BrowserContext:
    """Return a browser context with separate cookies and the tests' common timeout. Its visitor
    wants no animations: drawing them takes a third of all time in a browser."""
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE * 1_000)
    return context


def choose_file(place: Locator, file: Path) -> None:
    """Choose a file and wait for its upload: the form ignores a press of its button before that."""
    with place.page.expect_response(lambda answer: "/upload_file/" in answer.url):
        place.locator("input[type=file]").set_input_files(file)


def stop_button(page: Page) -> Locator:
    """Return the page's Stop button; Streamlit's header has another while a script runs."""
    return page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)


def turn_to(page: Page, theme: str) -> None:
    """Change the browser's theme, which the page follows."""
    page.emulate_media(color_scheme=theme)
    color = THEMES[theme]["backgroundColor"]
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    app = page.get_by_test_id("stApp")
    expect(app).to_have_css("background-color", f"rgb({red}, {green}, {blue})")


def needed_width(page: Page) -> float:
    """Return the width in pixels that a page's content needs."""
    return page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")


def wait_to_see(page: Page, words: str) -> None:
    """Wait until a page has these words, if only for half a second: `expect` looks once a
    second."""
    has = "words => document.body.textContent.includes(words)"
    page.wait_for_function(has, arg=words, polling=50)


def run_to_the_end(page: Page, button: str = "Run") -> None:
    """Press the button that begins a run, and wait for the run's end."""
    before = page.url
    page.get_by_test_id("stMain").get_by_role("button", name=button, exact=True).click()
    expect(page).not_to_have_url(before)  # it names the run
    wait_for_the_end(page)


def wait_for_the_end(page: Page) -> None:
    """Wait until a run that was begun has ended and its page stands still. A short one's button may
    be gone before anyone has seen it."""
    page.locator(IDLE).wait_for(state="attached")
    expect(stop_button(page)).to_be_hidden()
    page.locator(IDLE).wait_for(state="attached")


def drawn(page: Page, kind: str, place: str = "") -> Locator:
    """Return the page's current elements of a kind; a selector may limit their place. Old elements
    stay below the new ones until the page is complete, and are left out."""
    places = page.locator(f"[data-testid=stElementContainer][data-stale=false]{place}")
    return places.get_by_test_id(kind)


def metric(page: Page, label: str = "") -> Locator:
    """The cards of that label, or all."""
    return drawn(page, "stMetric").filter(has_text=label)


def keep(page: Page, server_log: Path, folder: Path) -> None:
    """Keep in a new folder what a page shows, its words, and the server's log."""
    folder.mkdir(parents=True)
    try:
        page.screenshot(path=folder / "page.png")
        (folder / "page.txt").write_text(f"{page.url}\n\n{page.inner_text('body')}", "utf-8")
    except Error as error:  # it is closed, or has crashed
        (folder / "page.txt").write_text(str(error), "utf-8")
    shutil.copy(server_log, folder / "server.log")


def expect_large(page: Page, *, full: bool = True) -> None:
    """Wait until nothing on a lecture hall's screen is smaller than 2.2% of its height and the page
    need not scroll. A full page also uses the lower half."""
    main = page.get_by_test_id("stMain")
    expect(main.locator("[data-testid=stVegaLiteChart]:not(:has(svg.marks))")).to_have_count(0)
    seen: dict = {}

    def is_large() -> bool:
        seen.update(main.evaluate(MEASURE_SCREEN.read_text("utf-8")))
        is_full = seen["lowest"] > 0.6 or not full
        return seen["smallest"] >= 0.022 and seen["needed"] <= seen["room"] and is_full

    try:
        wait_for(is_large, "large type")
    except AssertionError:
        raise AssertionError(f"not a full screen of large type: {seen}") from None
