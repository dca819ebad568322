"""The guided tour as a speaker gives it: no menu, arrow keys, an address for each step."""

import re

import pytest
from playwright.sync_api import expect

from helpers.browsing import IDLE, expect_large

LAST = 8
# What each step shows last.
RESULTS = (
    "stVegaLiteChart",
    "stHeading",
    "stButton",
    *["stVegaLiteChart"] * 2,
    "stMetric",
    "stVegaLiteChart",
    "stMetric",
)


def heading(page, number: int):
    return page.get_by_role("heading", name=re.compile(rf"^{number}\. "))


def open_step(page, address: str, number: int) -> None:
    page.goto(address)
    wait_for_step(page, number)


def wait_for_step(page, number: int) -> None:
    """Wait until a step is there and keys work: what hears them is loaded by itself."""
    expect(heading(page, number)).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_visible()
    page.locator("[data-hears-keys]").wait_for(state="attached")
    page.locator(IDLE).wait_for(state="attached")


def walk(page, number: int, key: str) -> None:
    page.keyboard.press(key)
    expect(heading(page, number)).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_each_step_fills_a_presenters_screen(page, server, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_step(page, f"{server}/Tutorial?present=true", 1)
    for number in range(1, LAST + 1):
        if number > 1:
            walk(page, number, "ArrowRight")
        expect(page.get_by_test_id(RESULTS[number - 1]).last).to_be_visible()
        page.locator(IDLE).wait_for(state="attached")
        expect_large(page)
        page.get_by_role("button", name="Code").click()
        expect(page.get_by_test_id("stMain").locator("pre")).to_be_visible()
        page.locator(IDLE).wait_for(state="attached")
        expect_large(page, full=False)


def test_arrow_keys_go_on_whatever_was_clicked(page, server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_step(page, f"{server}/Tutorial?step=3", 3)  # each step has an address
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("button", name="Another")).to_be_visible()
    page.locator(IDLE).wait_for(state="attached")
    main.get_by_role("button", name="Present").click()
    expect(page).to_have_url(re.compile("present=true"))
    expect(page.get_by_role("link", name="Compare")).to_have_count(0)
    wait_for_step(page, 3)
    for number in (4, 5, 6):
        walk(page, number, "ArrowRight")
    main.get_by_role("button", name="Run").click()
    stop = main.get_by_role("button", name="Stop")
    expect(stop).to_be_in_viewport()
    walk(page, 7, "ArrowRight")
    walk(page, 6, "ArrowLeft")
    stop.click()
    expect(page.get_by_text("Stopped early")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Stopped early")).to_be_visible()
    open_step(page, page.url, 6)
    walk(page, 7, "ArrowRight")
    expect(page.get_by_text("113.9 MB").first).to_be_visible()
    # Nor do the steps' own buttons take them for themselves.
    main.get_by_role("button", name="2", exact=True).click()
    expect(heading(page, 2)).to_be_visible()
    walk(page, 3, "ArrowRight")
    page.locator(IDLE).wait_for(state="attached")
    expect(heading(page, 3)).to_be_visible()
    main.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()


def test_keyboards_clickers_and_the_browser_walk_through_the_tour(page, server):
    open_step(page, f"{server}/Tutorial?present=true", 1)
    walk(page, 2, "ArrowRight")
    expect(page).to_have_url(re.compile("step=2"))
    walk(page, 3, "PageDown")
    walk(page, 4, " ")
    walk(page, 3, "PageUp")
    walk(page, LAST, "End")
    walk(page, 1, "Home")
    for _ in range(LAST - 1):
        page.keyboard.press("ArrowRight")  # faster than slides come
    expect(heading(page, LAST)).to_be_visible()
    expect(page).to_have_url(re.compile(f"step={LAST}"))
    walk(page, LAST - 1, "ArrowLeft")
    walk(page, LAST - 2, "ArrowLeft")
    page.go_back()
    expect(heading(page, LAST - 1)).to_be_visible()
    page.go_back()
    expect(heading(page, LAST)).to_be_visible()
    page.go_forward()
    expect(heading(page, LAST - 1)).to_be_visible()
    walk(page, LAST - 2, "ArrowLeft")
    page.reload()
    wait_for_step(page, LAST - 2)
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    page.get_by_role("button", name="Code").click()
    code = page.get_by_test_id("stMain").locator("pre")
    expect(code).to_contain_text("quantize_dynamic")
    page.keyboard.press("Escape")
    expect(code).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
