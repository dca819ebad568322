"""The Sample page in a real browser with the bundled model."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from benchmarks.visitor import Visitor
from helpers.browsing import (
    IDLE,
    PHONE,
    metric,
    needed_width,
    stop_button,
    turn_to,
    wait_for_the_end,
)
from helpers.serving import outcome_of
from helpers.strangers import stranger
from helpers.waiting import PATIENCE, wait_for

# Texts that are still being written when another page has opened.
FOUR = "fp32", "pytorch:lstm=int8", "pytorch:linear=int8", "int8"
LONG = urlencode({"words": 1000, "variants": FOUR}, doseq=True)
SPEED = re.compile("[0-9] words per second")
RIGHT_ENDS = "all => all.map(each => each.getBoundingClientRect().right)"


def open_sample(page: Page, server: str, query: str = "") -> None:
    """Open the page and wait for its first text and the results below it."""
    page.goto(f"{server}/Sample{query}")
    expect(page.get_by_role("tab", name="Blind test")).to_be_visible()
    page.locator(IDLE).wait_for(state="attached")


def is_writing(visitor: Visitor) -> bool:
    return any(map(SPEED.search, visitor.words))


def write(page: Page) -> None:
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_text("Every word of fp32's text")).to_be_visible()
    wait_for_the_end(page)


def words_of_text(page: Page) -> Locator:
    """The buttons that are the words of the first text."""
    return drawn_words(page).get_by_role("button")


def drawn_words(page: Page) -> Locator:
    return page.locator("[data-stale=false]").get_by_role("group", name="Words of")


def words(page: Page) -> list[str]:
    buttons = words_of_text(page)
    expect(buttons.nth(15)).to_be_visible()
    return buttons.all_text_contents()


def test_write_see_where_they_part_download_and_choose_a_word(page, server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_sample(page, server, "?words=80&seed=3")
    expect(page.get_by_text(SPEED)).to_have_count(2)
    first = words(page)
    page.reload()
    expect(page.get_by_role("tab", name="Blind test")).to_be_visible()
    assert words(page) == first
    write(page)
    assert words(page) == first
    departs = metric(page, "First difference")
    place = re.search(r"word (\d+)", departs.inner_text())[1]
    heading = page.get_by_role("heading", name=f"Word {place}, after")
    expect(heading).to_be_visible()
    expect(page.get_by_text("arrives after")).to_be_visible()
    arrivals = page.get_by_role("table")
    expect(arrivals.get_by_role("columnheader")).to_have_count(4)
    needed, room = arrivals.evaluate("each => [each.scrollWidth, each.parentElement.clientWidth]")
    assert needed <= room
    for row in arrivals.get_by_role("row").all()[1:]:
        fp32, int8 = row.get_by_role("cell").all_text_contents()[2:]
        assert fp32 != int8
    for name, count in (("out.txt", 2), ("text.txt", 2)):
        expect(page.get_by_role("button", name=name)).to_have_count(count)
    with page.expect_download() as download:
        page.get_by_role("button", name="out.txt").first.click()
    assert download.value.suggested_filename == "out.txt"
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert [len(line.split(" ")) for line in lines] == [20] * 4
    choose_a_word(page)


def choose_a_word(page: Page) -> None:
    """Choose a word by pointer and by keyboard, which shows its draw."""
    texts, buttons = words(page), words_of_text(page)
    chosen = max(
        i
        for i in range(1, len(texts))
        if re.fullmatch("[a-z]{4,}", texts[i]) and re.fullmatch("[a-z]+", texts[i - 1])
    )
    told = buttons.nth(chosen).get_attribute("aria-label")
    assert re.match(rf"{texts[chosen]}: word {chosen + 1}, fp32 [\d.]+%, int8 .* nats apart", told)
    buttons.nth(chosen).click()
    heading = page.get_by_role("heading", name=f"Word {chosen + 1}, after")
    expect(heading).to_contain_text(texts[chosen - 1])
    expect(buttons.nth(chosen)).to_have_attribute("aria-pressed", "true")
    # One tab stop, and the arrow keys move within.
    assert [
        index
        for index in buttons.evaluate_all("all => all.map(each => each.tabIndex)")
        if not index
    ] == [0]
    page.keyboard.press("ArrowLeft")
    expect(buttons.nth(chosen - 1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Word {chosen}, after")).to_be_visible()


def test_a_long_text_stops_at_once_stays_and_blocks_nobody(page, server):
    async def write_too() -> None:
        async with stranger(server) as visitor:
            await visitor.open("Sample", "words=20&seed=9")
            assert visitor.problems == [] and is_writing(visitor)

    page.goto(f"{server}/Sample?{LONG}")
    expect(page.get_by_text(SPEED)).to_have_count(4)
    outcome_of(write_too())
    expect(stop_button(page)).to_be_visible()  # still writing
    stop_button(page).click()
    expect(page.get_by_text("Every word of fp32's text")).to_be_visible()
    expect(stop_button(page)).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="out.txt").first.click()
    words = Path(download.value.path()).read_text("utf-8").split()
    assert 0 < len(words) < 1000


def test_the_third_who_writes_at_once_waits_and_is_served(page, server):
    are_writing, may_leave = threading.Event(), threading.Event()

    async def write() -> None:
        async with stranger(server) as first, stranger(server) as second:
            # No text of these settings is kept.
            texts = [one.open("Sample", f"{LONG}&seed=2") for one in (first, second)]
            tasks = [asyncio.create_task(text) for text in texts]
            while not (is_writing(first) and is_writing(second)):
                await asyncio.sleep(0.05)
            are_writing.set()
            await asyncio.to_thread(may_leave.wait, PATIENCE)
            for task in tasks:
                task.cancel()

    with ThreadPoolExecutor(1) as thread:
        visitors = thread.submit(asyncio.run, write())
        try:
            wait_for(lambda: are_writing.is_set() or visitors.done(), "two long texts")
            page.goto(f"{server}/Sample?words=20&seed=8")
            expect(page.get_by_text("1 visitor is ahead of you")).to_be_visible()
        finally:
            may_leave.set()
        visitors.result()
    expect(page.get_by_text("Every word of fp32's text")).to_be_visible()
    expect(page.get_by_text("ahead of you")).to_be_hidden()


def test_a_deep_link_holds_everything_with_the_blind_test(page, server):
    query = (
        "?temperature=1.5&variants=fp32&variants=int8+LSTM&prompt=The+old+brige&words=10&raw=true"
        "&more=Blind+test"
    )
    open_sample(page, server, query)
    expect(page.get_by_role("link", name="Compare")).to_be_visible()
    expect(page.get_by_role("slider").first).to_have_value("1.5")
    expect(page.get_by_label("Prompt")).to_have_value("The old brige")
    expect(page.get_by_text("is an unknown word")).to_be_visible()
    page.get_by_role("button", name="bridge", exact=True).click()
    expect(page.get_by_label("Prompt")).to_have_value("The old bridge")
    expect(page).to_have_url(re.compile("prompt=The(\\+|%20)old(\\+|%20)bridge"))
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("The code that does it")).to_be_visible()
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_label("Prompt")).to_have_value("The old bridge")
    expect(page.get_by_text("int8 LSTM", exact=True).first).to_be_visible()
    # Who wrote what is hidden until it is guessed.
    page.get_by_role("button", name="Show a pair").click()
    expect(page.get_by_text("Text B", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Next pair")).to_be_disabled()
    page.get_by_role("button", name="A is int8").click()
    expect(page.get_by_text(re.compile("[01] of 1 right"))).to_be_visible()
    expect(page.get_by_text("is by int8 LSTM + Linear")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(page, server):
    page.set_viewport_size(PHONE)
    open_sample(page, server, "?words=60&seed=3")
    assert words(page)
    for scheme in ("light", "dark"):
        turn_to(page, scheme)
        assert needed_width(page) <= PHONE["width"]
        assert max(words_of_text(page).evaluate_all(RIGHT_ENDS)) <= PHONE["width"]
    sidebar = page.get_by_test_id("stSidebar")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("The code that does it")).to_be_visible()
    expect(sidebar).to_have_attribute("data-collapsed", "true")
