"""A Streamlit server and a headless Chromium for the journeys.

What a failing journey leaves to look at: the page's picture and text, and the server's log.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from serve_app import FILES

from helpers.browsing import WIDE, keep, new_context
from helpers.mirror import Mirror
from helpers.serving import serving
from helpers.tiny import save_named
from helpers.waiting import PATIENCE
from wlm.paths import ASSETS

ROOT = Path(__file__).resolve().parent.parent.parent
APP = Path(__file__).resolve().parent / "serve_app.py"
FAILURES = ROOT / "test-failures"
OPTIONS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-software-rasterizer",  # else it plays a graphics card, which takes its time
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that tests/run.py found, or one on the PATH."""
    path = os.environ.get("WLM_BROWSER") or shutil.which("chromium")
    if not path:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: tests/run.py installs one")
        pytest.skip("no Chromium: tests/run.py tells how it looks for one")
    expect.set_options(timeout=PATIENCE * 1_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server_log(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="session")
def mirror() -> Iterator[Mirror]:
    """What the server fetches from."""
    with Mirror() as mirror:
        mirror.files.update(FILES)
        yield mirror


@pytest.fixture(scope="session")
def server(server_log, unused_port, mirror) -> Iterator[str]:
    """The address of a fresh server, which knows the tiny model and its texts too, and a part of
    the bundled text."""
    folder = server_log.parent
    variables = {"WLM_MIRROR": mirror.url, "NO_PROXY": "127.0.0.1", **save_named(folder)}
    lines = (ASSETS / "texts" / "demo.txt").read_text("utf-8").splitlines(keepends=True)
    (folder / "texts" / "part.txt").write_text("".join(lines[:60]), "utf-8")
    with serving(folder, unused_port(), APP, **variables) as address:
        yield address


@pytest.fixture(scope="session")
def tab(browser) -> Iterator[Page]:
    """One tab for all journeys: what it has compiled of the front end is half a visit's work."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab, server) -> Iterator[Page]:
    """A wide page of a new visitor, that fails the test for any request to another host."""
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((server, server.replace("http", "ws"), "data:", "blob:")):
            outside.append(request.url)

    tab.set_viewport_size(WIDE)
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    tab.on("request", note)
    yield tab
    tab.remove_listener("request", note)
    tab.goto(f"{server}/_stcore/health")  # of the same host, else what is compiled is gone
    tab.evaluate("localStorage.clear(), sessionStorage.clear()")
    tab.context.clear_cookies()
    assert outside == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what a failing test's page shows, and say where."""
    report = yield
    if report.when == "call" and report.failed and "page" in item.funcargs:
        folder = FAILURES / re.sub(r"\W+", "-", item.name)
        shutil.rmtree(folder, ignore_errors=True)
        keep(item.funcargs["page"], item.funcargs["server_log"], folder)
        report.sections.append(("what it left", str(folder)))
    return report
