"""Every page, in both themes, for people who use a keyboard or a screen reader."""

import re
import tomllib
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from helpers.browsing import IDLE
from helpers.driver import PAGES, ROOT

THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
ADDRESSES = [
    "",
    *(path.stem.split("_", 1)[1] for path in PAGES[1:]),
    "Inspect?tab=Error",
    "Inspect?tab=Model",
    "Tutorial?step=3",
    "Tutorial?step=6",
    "Sample?words=30",
]
# What Streamlit draws and no setting changes: theme, axe's rule, and the part of the page.
EXCEPTIONS = {
    # White words on the primary color and words of the primary color on 10% of it: the dark theme
    # cannot have 4.5 for both. A button's words and an open tab's name have it; these have 4.2.
    ("dark", "color-contrast", "button[data-variant=segmented_control][data-selected]"),
    # The colors of a code block's words are fixed; on no light background has their blue 4.5.
    ("light", "color-contrast", "[data-testid=stCode] .token"),
}
HEADINGS = """all => all.filter(each => each.checkVisibility()).map(each => +each.tagName[1])"""


def open_at(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("stMain").get_by_role("heading").first).to_be_visible()
    page.locator(IDLE).wait_for(state="attached")
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        expect(chart.locator("svg")).to_be_visible()


def turn_to(page: Page, theme: str) -> None:
    """Change the browser's theme, which the page follows."""
    page.emulate_media(color_scheme=theme)
    color = THEMES[theme]["backgroundColor"]
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    app = page.get_by_test_id("stApp")
    expect(app).to_have_css("background-color", f"rgb({red}, {green}, {blue})")


def findings(page: Page, theme: str) -> list[str]:
    """Return axe's serious and critical findings: the rule, the element and the fault."""
    parts = [(rule, part) for of_theme, rule, part in EXCEPTIONS if of_theme == theme]
    return [
        f"{theme} {rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not any(rule["id"] == name and is_in(page, node, part) for name, part in parts)
    ]


def is_in(page: Page, node: dict, part: str) -> bool:
    element = page.locator(node["target"][-1]).first
    return element.evaluate("(element, part) => element.closest(part) !== null", part)


@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_serious_and_headings_skip_no_level(page, server, address):
    open_at(page, f"{server}/{address}")
    found = []
    for theme in ("light", "dark"):
        turn_to(page, theme)
        found += findings(page, theme)
    assert found == []
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(HEADINGS)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_chart_says_what_it_is_and_so_does_each_of_its_bars(page, server):
    open_at(page, f"{server}/Inspect")
    chart = page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_have_attribute(
        "aria-label", re.compile("^Stacked bars of size.*: fp32 113.9 MB")
    )
    bar = chart.locator("g.mark-rect [role=graphics-symbol]").first
    expect(bar).to_have_attribute("aria-label", re.compile("^variant: fp32, part: embedding, size"))


def test_a_focused_link_of_the_menu_differs_from_the_current_page(page, server):
    open_at(page, f"{server}/How")
    links = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
    links.first.focus()
    page.keyboard.press("Tab")
    expect(links.nth(1)).to_be_focused()
    expect(links.nth(1)).to_have_css("outline-style", "solid")
    current = page.get_by_test_id("stSidebar").get_by_role("link", name="How", exact=True)
    expect(current).to_have_css("outline-style", "none")
