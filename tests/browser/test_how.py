"""The page How in a real browser with the bundled model: keys, and a product that is pointed at."""

import re

from playwright.sync_api import expect

from helpers.browsing import IDLE, drawn


def test_keys_step_through_the_words_a_product_tells_its_numbers_and_focus_shows(page, server):
    page.goto(f"{server}/How?prompt=The+old+bridge")
    expect(page.get_by_role("heading", name="5. Fewer bits")).to_be_visible()
    page.locator(IDLE).wait_for(state="attached")
    words = page.get_by_test_id("stMain")
    expect(words.get_by_text("At bridge, what enters decoder")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("at=2"))
    expect(words.get_by_text("At old, what enters decoder")).to_be_visible()
    words.get_by_role("button", name="The", exact=True).click()
    expect(words.get_by_text("At The, what enters decoder")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("at=2"))
    page.locator(IDLE).wait_for(state="attached")
    products = drawn(page, "stVegaLiteChart").filter(has_text="below 0").first
    cells = products.locator("g.mark-rect.role-mark path")
    expect(cells).to_have_count(256)
    cells.nth(40).hover()
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text("weight × input")
    expect(tooltip).to_contain_text("sum so far")
    # A focused link of the menu differs from the current page.
    links = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
    links.first.focus()
    page.keyboard.press("Tab")
    expect(links.nth(1)).to_be_focused()
    expect(links.nth(1)).to_have_css("outline-style", "solid")
    current = page.get_by_test_id("stSidebar").get_by_role("link", name="How", exact=True)
    expect(current).to_have_css("outline-style", "none")
