"""Fetching on the page Models, from a mirror on loopback with a tiny corpus."""

import re

from playwright.sync_api import expect


def test_get_wikitext2_stop_it_get_it_again_and_choose_it(page, server, mirror):
    mirror.faults["train.txt"] = "stalls"
    page.goto(f"{server}/Models")
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Download WikiText-2").click()
    expect(main.get_by_text("Fetching wikitext-2")).to_be_visible()
    expect(main.get_by_role("button", name="Download the tutorial's weights")).to_be_disabled()
    main.get_by_role("button", name="Stop").click()
    expect(main.get_by_text("Stopping …")).to_be_visible()
    mirror.go_on.set()
    expect(main.get_by_text("was stopped: nothing of it is kept")).to_be_visible()

    mirror.faults["train.txt"] = "dies half-way"
    main.get_by_role("button", name="Download WikiText-2").click()
    expect(main.get_by_text("the connection broke")).to_be_visible()
    expect(main.get_by_text("Try again, or give another source")).to_be_visible()

    mirror.faults.clear()
    main.get_by_role("button", name="Download WikiText-2").click()
    expect(main.get_by_text("Downloaded. The hash is correct")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("combobox", name="Text").click()
    page.get_by_role("option", name="wikitext-2").click()
    expect(page).to_have_url(re.compile("text=wikitext-2"))
