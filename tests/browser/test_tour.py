"""The guided tour as a speaker gives it: no menu, arrow keys, an address for each step."""

import re

from conftest import IDLE
from playwright.sync_api import expect

LAST = 6


def heading(page, number: int):
    return page.get_by_role("heading", name=re.compile(rf"^{number}\. "))


def test_arrow_keys_walk_through_the_tour(page, server):
    page.goto(f"{server}/Tutorial?present=true")
    expect(heading(page, 1)).to_be_visible(timeout=30_000)
    for number in range(2, LAST + 1):
        page.locator(IDLE).wait_for(state="attached", timeout=30_000)
        page.keyboard.press("ArrowRight")
        expect(heading(page, number)).to_be_visible(timeout=30_000)
        expect(page).to_have_url(re.compile(rf"step={number}"))
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    page.locator(IDLE).wait_for(state="attached", timeout=30_000)
    page.keyboard.press("ArrowLeft")
    expect(heading(page, LAST - 1)).to_be_visible(timeout=30_000)


def test_a_speaker_never_scrolls(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    for number in range(1, LAST + 1):
        page.goto(f"{server}/Tutorial?present=true&step={number}")
        expect(heading(page, number)).to_be_visible(timeout=30_000)
        page.locator(IDLE).wait_for(state="attached", timeout=30_000)
        if number in (1, 5):
            expect(page.get_by_test_id("stMain").locator("svg text").first).to_be_visible()
        page.wait_for_timeout(500)
        overflow = "each => each.scrollHeight - each.clientHeight"
        assert page.get_by_test_id("stMain").evaluate(overflow) <= 0, f"step {number}"
    context.close()


def test_a_step_has_an_address(page, server):
    page.goto(f"{server}/Tutorial?step=5")
    expect(heading(page, 5)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("113.9 MB").first).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
