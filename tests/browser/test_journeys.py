"""What people come for, in a real browser with the bundled model and text."""

import re

from playwright.sync_api import Locator, Page, expect

from wlm import tutorial

LONG = 60_000  # milliseconds: how long a loaded machine may take


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    # Drawn last on its page.
    expect(page.get_by_text("The code that does it")).to_be_visible(timeout=LONG)


def card(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label)


def number(text: str) -> float:
    return float(re.search(r"[\d.]+", text)[0])


def toggle(page: Page, label: str) -> None:
    page.get_by_test_id("stCheckbox").filter(has_text=label).locator("label").first.click()


def stop_button(page: Page) -> Locator:
    """The page's own: Streamlit's header has one of that name while a script runs."""
    return page.get_by_test_id("stMain").get_by_role("button", name="Stop")


def run_to_the_end(page: Page) -> None:
    page.get_by_role("button", name="Run").click()
    expect(stop_button(page)).to_be_visible(timeout=LONG)
    expect(stop_button(page)).to_be_hidden(timeout=LONG)


def test_run_and_read_the_three_cards_and_charts(page, server):
    open_page(page, server)
    expect(page.get_by_text("Press Run")).to_be_visible()
    expect(page.get_by_text("Recorded on")).to_be_visible()
    run_to_the_end(page)
    expect(page.get_by_text("Recorded on")).to_be_hidden()
    fp32, int8 = tutorial.PUBLISHED["fp32"], tutorial.PUBLISHED["int8"]
    size = card(page, "Size, MB").inner_text()
    assert number(size.split("MB")[1]) == round(int8.size_bytes / 1e6, 1)
    assert "-30%" in size and f"{fp32.size_bytes / 1e6:.1f}" in size
    loss = number(card(page, "Loss").inner_text().split("token")[1])
    assert 3.0 < loss < 7.0
    assert "times as fast" in card(page, "Elapsed").inner_text()
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(5)
    for chart, title in zip(charts.all(), ("loss", "size", "elapsed"), strict=False):
        expect(chart.locator("svg")).to_contain_text(title)
        expect(chart.locator("svg")).to_contain_text("tutorial")
    expect(charts.nth(3).locator("svg")).to_contain_text("times as fast")
    expect(charts.nth(4).locator("svg")).to_contain_text("ms per token")
    expect(page.get_by_role("heading", name="times as fast as fp32")).to_be_visible()


def test_all_four_shows_who_contributes_what(page, server):
    open_page(page, server)
    page.get_by_role("button", name="All four").click()
    expect(stop_button(page)).to_be_visible(timeout=LONG)
    expect(stop_button(page)).to_be_hidden(timeout=LONG)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(6)
    last = page.get_by_test_id("stVegaLiteChart").last.locator("svg")
    for words in ("int8 LSTM", "int8 Linear", "size", "time", "loss", "−30.0%"):
        expect(last).to_contain_text(words)


def test_the_url_holds_switches_and_run_through_pages_and_reloads(page, server):
    open_page(page, server)
    toggle(page, "int8 LSTM")
    expect(page).to_have_url(re.compile(r"lstm=false"))
    expect(page.get_by_role("switch").first).not_to_be_checked()
    page.get_by_role("button", name="Run").click()
    expect(page).to_have_url(re.compile(r"run="))
    expect(stop_button(page)).to_be_hidden(timeout=LONG)
    measured = card(page, "Elapsed").inner_text()
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_role("button", name="Write")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(card(page, "Elapsed")).to_have_text(measured, use_inner_text=True)
    expect(page.get_by_role("switch").first).not_to_be_checked()
    page.reload()
    expect(card(page, "Elapsed")).to_have_text(measured, use_inner_text=True)
    expect(page.get_by_role("switch").first).not_to_be_checked()


def test_a_long_run_shows_numbers_early_and_stops_at_once(page, server):
    open_page(page, f"{server}/?amount=All+of+it&lstm=false&linear=false")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text(re.compile(r"about \d+ s left"))).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stMetric")).to_have_count(3)
    stop_button(page).click()
    expect(page.get_by_text("Stopped early")).to_be_visible(timeout=LONG)
    expect(card(page, "Loss").get_by_text(re.compile(r"^\d\.\d{4}$"))).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, server)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390
