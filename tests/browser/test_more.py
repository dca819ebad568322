"""Memory and agreement in a real browser, from the switch to the words where two models differ."""

import re

from playwright.sync_api import expect

from helpers.browsing import drawn, metric, wait_for_the_end, wait_to_see


def test_memory_and_agreement_are_measured_after_the_times(page, server):
    page.goto(f"{server}/?measures=true&text=part")
    expect(page.get_by_text("The code that does it")).to_be_visible()  # drawn last
    before = page.url
    page.get_by_test_id("stMain").get_by_role("button", name="Run", exact=True).click()
    expect(page).not_to_have_url(before)  # it names the run
    for stage in ("Comparing predictions", "Measuring the memory of fp32", "memory of int8"):
        wait_to_see(page, stage)
    wait_for_the_end(page)
    expect(page.get_by_role("heading", name="Memory and agreement")).to_be_visible()
    expect(page.get_by_text(re.compile("prefers another word at 1 token in"))).to_be_visible()
    card = metric(page, "Memory, MB").inner_text()
    assert 50 < int(re.search(r"MB\D*(\d+)", card)[1]) < 300
    charts = drawn(page, "stVegaLiteChart")
    for words in ("memory (MB)", "KL divergence"):
        expect(charts.filter(has_text=words).locator("svg")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="How").first.click()
    expect(page).to_have_url(re.compile(r"/How\?.*prompt="))
    expect(page.get_by_role("heading", name="How does int8 work?")).to_be_visible()
