"""What people come for, in a real browser with the bundled model and text."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from wlm import tutorial

LONG = 60_000  # milliseconds: how long a loaded machine may take


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    # Drawn last on its page, or the whole page.
    last = "The code that does it" if "Sample" not in address else "Press Write"
    expect(page.get_by_text(last)).to_be_visible(timeout=LONG)


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


def test_sample_and_download(page, server):
    open_page(page, f"{server}/Sample?words=40&seed=3")
    page.get_by_role("button", name="Write").click()
    button = page.get_by_role("button", name="out.txt")
    expect(button).to_have_count(2, timeout=LONG)
    expect(page.get_by_text("words per second")).to_have_count(2)
    with page.expect_download() as download:
        button.first.click()
    assert download.value.suggested_filename == "out.txt"
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert [len(line.split(" ")) for line in lines] == [20, 20]


def test_a_long_sample_can_be_stopped_and_stays(page, server):
    open_page(page, f"{server}/Sample?words=1000")
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_text("words per second")).to_have_count(2, timeout=LONG)
    stop_button(page).click()
    expect(page.get_by_role("button", name="out.txt")).to_have_count(2, timeout=LONG)
    expect(stop_button(page)).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="out.txt").first.click()
    words = Path(download.value.path()).read_text("utf-8").split()
    assert 0 < len(words) < 1000


def test_a_deep_link_shows_its_page_with_menu_and_settings(page, server):
    open_page(page, f"{server}/Sample?temperature=1.5&linear=0")
    expect(page.get_by_role("link", name="Compare")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_value("1.5")
    expect(page.get_by_role("switch").nth(1)).not_to_be_checked()


def test_on_a_phone_nothing_is_wider_than_the_screen(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, server)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390


def test_inspect_bytes_time_error_and_model(page, server):
    page.goto(f"{server}/Inspect")
    expect(page.get_by_text("To the byte")).to_be_visible(timeout=LONG)
    expect(card(page, "int8 LSTM + Linear")).to_contain_text("79.7 MB")
    bars = page.get_by_test_id("stVegaLiteChart").locator("svg")
    expect(bars).to_contain_text("68.2")
    expect(page.get_by_text("do not reach")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="int8 Linear", exact=True).click()
    expect(card(page, "int8 Linear")).to_be_visible()
    expect(page).to_have_url(re.compile(r"variants=pytorch%3Alinear%3Dint8"))

    page.get_by_role("tab", name="Time").click()
    page.get_by_role("button", name="Measure").click()
    expect(stop_button(page)).to_be_visible(timeout=LONG)
    expect(stop_button(page)).to_be_hidden(timeout=LONG)
    expect(page.get_by_role("heading", name="times as fast on a chunk of 25")).to_be_visible()
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(4)
    expect(charts.nth(2).locator("svg")).to_contain_text("int8 peak")
    expect(page).to_have_url(re.compile(r"tab=Time.*inspection="))
    measured = card(page, "One word").inner_text()
    page.reload()
    expect(card(page, "One word")).to_have_text(measured, use_inner_text=True)

    page.get_by_role("tab", name="Error").click()
    expect(card(page, "Levels for 99% of weights")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(4)

    page.get_by_role("tab", name="Model").click()
    # Drawn by Graphviz in the browser, with no network: the page fixture would tell.
    diagrams = page.get_by_test_id("stGraphVizChart").locator("svg")
    expect(diagrams).to_have_count(3, timeout=LONG)
    expect(diagrams.nth(1)).to_contain_text("decoder: int8")
