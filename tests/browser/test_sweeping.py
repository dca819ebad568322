"""A sweep in a real browser: started, stopped, gone on with, and found again by its link."""

import re

from playwright.sync_api import Page, expect

from helpers.browsing import (
    PHONE,
    WIDE,
    drawn,
    metric,
    needed_width,
    stop_button,
    wait_for_the_end,
)
from helpers.waiting import wait_for

ASKED = "model=tiny&text=long&question=Your+own&values=2,10&with=int8+LSTM+%2B+Linear&seconds=2"


def test_a_sweep_is_started_stopped_gone_on_with_and_shared(page: Page, server):
    page.set_viewport_size(PHONE)
    page.goto(f"{server}/Sweep?{ASKED}")
    expect(page.get_by_text("Press Start to measure")).to_be_visible()
    assert needed_width(page) <= PHONE["width"]
    page.set_viewport_size(WIDE)
    expect(page.get_by_text("2 points, at most about 14 s in total")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(re.compile(r"sweep=[\w-]{16}"))
    expect(page.get_by_text(re.compile(r"^1 of 2 points"))).to_be_visible()
    stop_button(page).click()
    go_on = page.get_by_role("button", name=re.compile(r"Continue: 1 of 2"))
    expect(go_on).to_be_visible()
    chart = drawn(page, "stVegaLiteChart").first.locator("svg")
    expect(chart).to_contain_text("speed-up against fp32")
    go_on.click()
    expect(go_on).to_be_hidden()
    wait_for_the_end(page)
    expect(go_on).to_be_hidden()
    card = metric(page)
    expect(card).to_have_count(1)
    expect(card).to_contain_text("int8 LSTM + Linear, speed-up against fp32")
    expect(drawn(page, "stVegaLiteChart")).to_have_count(2)
    for plot in drawn(page, "stVegaLiteChart").all():
        for words in ("int8 LSTM", "+ Linear", "chunk length", "10"):
            expect(plot.locator("svg")).to_contain_text(words)
    measured = card.inner_text()
    page.goto(f"{server}/Sweep?sweep={re.search('sweep=([^&]+)', page.url)[1]}")
    expect(card).to_have_text(measured, use_inner_text=True)
    # The controls ask something else; the page's own link would have them ask this.
    expect(page.get_by_text("Shown: fp32, int8 LSTM + Linear · chunk length 2, 10")).to_be_visible()
    expect(page.get_by_text("Settings changed")).to_be_visible()
    link = (
        page.get_by_test_id("stMain")
        .get_by_role("link", name="Link", exact=True)
        .get_attribute("href")
    )
    page.goto(f"{server}/{link.rpartition('/')[2]}")
    expect(card).to_have_text(measured, use_inner_text=True)
    expect(page.get_by_text("Settings changed")).to_be_hidden()
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_role("button", name="Write")).to_be_visible()
    page.get_by_role("link", name="Sweep").click()
    expect(page.get_by_role("heading", name="When is int8 worth it?")).to_be_visible()
    expect(card).to_have_count(1)  # Sample's cards are gone
    expect(card).to_have_text(measured, use_inner_text=True)
    page.set_viewport_size(PHONE)
    wait_for(lambda: needed_width(page) <= PHONE["width"], "a page as narrow as a phone")
