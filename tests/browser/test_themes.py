"""Every page in both themes: for people who use a keyboard or a screen reader, and its charts, also
when one switches the theme in the menu."""

import json
import re
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from helpers.browsing import IDLE, THEMES, turn_to
from helpers.driver import PAGES
from helpers.waiting import wait_for
from view.sample.word_strip import WARM
from view.shared.charts import GREY, INK, PARTS, SIGNS

# The pages whose charts are looked at in all themes, with the number of their charts.
CHARTS = {
    "": 7,
    "How": 11,
    "Inspect": 1,
    "Inspect?tab=Error": 4,
    "Sample?words=30": 3,
    "Tutorial?step=6": 3,
}
OTHERS = {path.stem.split("_", 1)[1] for path in PAGES[1:]} - {"How", "Inspect", "Sample"}
OTHERS |= {"Inspect?tab=Model", "Tutorial?step=3"}
ALL = {"resultTypes": ["violations"]}
OF_COLORS = ALL | {"runOnly": ["color-contrast", "link-in-text-block"]}  # of axe's rules
# What Streamlit draws and no setting changes: theme, axe's rule, and the part of the page.
EXCEPTIONS = {
    # White words on the primary color and words of the primary color on 10% of it: the dark theme
    # cannot have 4.5 for both. A button's words and an open tab's name have it; these have 4.2.
    ("dark", "color-contrast", "button[data-variant=segmented_control][data-selected]"),
    # The colors of a code block's words are fixed; on no light background has their blue 4.5.
    ("light", "color-contrast", "[data-testid=stCode] .token"),
}
COLORS_STAND_STILL = "() => !document.getAnimations().some(one => one instanceof CSSTransition)"
LEVELS = """all => all.filter(each => each.checkVisibility()).map(each => +each.tagName[1])"""


def open_at(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("stMain").get_by_role("heading").first).to_be_visible()
    page.locator(IDLE).wait_for(state="attached")
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        expect(chart.locator("svg")).to_be_visible()


def findings(page: Page, theme: str, rules: dict) -> list[str]:
    """Return axe's serious and critical findings: the rule, the element and the fault."""
    parts = [(rule, part) for of_theme, rule, part in EXCEPTIONS if of_theme == theme]
    return [
        f"{theme} {rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in Axe().run(page, options=rules).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not any(rule["id"] == name and is_in(page, node, part) for name, part in parts)
    ]


def is_in(page: Page, node: dict, part: str) -> bool:
    element = page.locator(node["target"][-1]).first
    return element.evaluate("(element, part) => element.closest(part) !== null", part)


def expect_accessible(page: Page) -> None:
    """Expect that axe finds nothing serious in the light theme, and that headings skip no level."""
    assert findings(page, "light", ALL) == []
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(LEVELS)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def expect_accessible_colors(page: Page) -> None:
    """Expect the same in the dark theme, which has other colors and the same elements."""
    page.wait_for_function(COLORS_STAND_STILL)
    assert findings(page, "dark", OF_COLORS) == []


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


@pytest.mark.parametrize("address", CHARTS)
def test_axe_finds_nothing_serious_and_charts_follow_the_theme_at_once(page, server, address):
    sent: list = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    open_at(page, f"{server}/{address}")
    expect(page.get_by_test_id("stVegaLiteChart").locator("svg")).to_have_count(CHARTS[address])
    expect_theme(page, "light")
    expect_accessible(page)
    asked = len(sent)
    for name in ("Dark", "Light"):
        switch(page, name)
        expect_theme(page, name.lower())
    page.emulate_media(color_scheme="dark")
    switch(page, "System")
    expect_theme(page, "dark")
    assert len(sent) == asked > 0  # the browser has redrawn them, not the server
    expect_accessible_colors(page)


@pytest.mark.parametrize("address", sorted(OTHERS))
def test_axe_finds_nothing_serious(page, server, address):
    open_at(page, f"{server}/{address}")
    expect_accessible(page)
    turn_to(page, "dark")
    expect_accessible_colors(page)
