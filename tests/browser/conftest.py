"""A Streamlit server and a headless Chromium for the journeys."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
IDLE = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)
OPTIONS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory, unused_port) -> Iterator[str]:
    """The address of a fresh server with a store and a cache of its own."""
    folder = tmp_path_factory.mktemp("server")
    environment = {
        **os.environ,
        "WLM_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite'}",
        "WLM_CACHE": str(folder / "cache"),
        "WLM_DATA": str(folder / "data"),
    }
    for name in ("WLM_MODELS", "WLM_TEXTS"):
        environment.pop(name, None)
    port = unused_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(f"{address}/_stcore/health", process)
            yield address
        finally:
            process.terminate()
            process.wait(10)
    assert "Traceback" not in (folder / "log").read_text()


def wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.fixture
def page(browser, server) -> Iterator[Page]:
    """A wide page that fails the test for any request to another host."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    outside: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((server, server.replace("http", "ws"), "data:", "blob:")):
            outside.append(url)

    context.on("request", lambda request: note(request.url))
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()
    assert outside == []


def choose_file(place: Locator, file: Path) -> None:
    """Choose a file and wait until it has come: a press before is lost on the form's button."""
    with place.page.expect_response(lambda answer: "/upload_file/" in answer.url):
        place.locator("input[type=file]").set_input_files(file)
