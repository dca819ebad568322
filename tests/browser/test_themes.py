"""Charts in the light and the dark theme, and when one switches between them in the menu."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from helpers.browsing import IDLE
from helpers.waiting import wait_for
from view.sample.word_strip import WARM
from view.shared.charts import GREY, INK, PARTS, SIGNS

ROOT = Path(__file__).resolve().parents[2]
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
# What each page's charts are of, and how many there are.
PAGES = {
    "": 7,
    "How": 11,
    "Inspect": 1,
    "Inspect?tab=Error": 4,
    "Sample?words=30": 3,
    "Tutorial?step=6": 3,
}


def fills(page: Page, selector: str) -> set[str]:
    """The colours of some of all charts' parts."""
    parts = page.get_by_test_id("stVegaLiteChart").locator(selector)
    return set(parts.evaluate_all("all => all.map(each => each.getAttribute('fill'))"))


def expect_theme(page: Page, name: str) -> None:
    """Wait until words are in a theme's ink, and bars in its colours."""
    theme = THEMES[name]
    assert json.dumps(theme["textColor"])[1:-1] in INK["expr"]
    words = "g[class*=role-axis] text, g[class*=role-legend] text"
    wait_for(lambda: fills(page, words) == {theme["textColor"]}, f"the ink of the {name} theme")
    marks = "g.mark-rect path[fill^='#'], g.mark-symbol path[fill^='#'], g.mark-area path"
    part = ("light", "dark").index(name)
    parts = {
        re.findall(r"#\w+", color.to_dict()["expr"])[part]
        for color in (*PARTS.values(), *SIGNS.values())
    }
    colours = {*theme["chartCategoricalColors"], *parts, theme["textColor"], GREY}
    colours |= {theme["backgroundColor"], WARM}
    wait_for(lambda: fills(page, marks) <= colours, f"the colours of the {name} theme")


def switch(page: Page, name: str) -> None:
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_role("menuitemradio", name=name).click()
    page.keyboard.press("Escape")


@pytest.mark.parametrize("address", PAGES)
def test_charts_follow_the_theme_at_once(page, server, address):
    sent: list = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.emulate_media(color_scheme="light")
    page.goto(f"{server}/{address}")
    expect(page.get_by_test_id("stVegaLiteChart").locator("svg")).to_have_count(PAGES[address])
    expect_theme(page, "light")
    page.locator(IDLE).wait_for(state="attached")
    asked = len(sent)
    for name in ("Dark", "Light"):
        switch(page, name)
        expect_theme(page, name.lower())
    page.emulate_media(color_scheme="dark")
    switch(page, "System")
    expect_theme(page, "dark")
    assert len(sent) == asked > 0  # the browser has redrawn them, not the server
