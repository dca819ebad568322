"""From `streamlit run` to a usable page, a first result, and from page to page.

    python -m benchmarks.startup [--repeats 3]

Starts a fresh server with an empty store each time, and visits it with the Chromium on the PATH. A
page is usable if its button can be pressed.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from helpers.serving import APP, serving
from wlm.measuring.machine import describe_machine

PORT = 8791


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        rows = [measure(browser) for _ in range(options.repeats)]
    for what in rows[0]:
        times = [row[what] for row in rows]
        listed = ", ".join(f"{value:.2f}" for value in times)
        print(f"{what:42}{statistics.median(times):6.2f} s   ({listed})")


def measure(browser: Browser) -> dict[str, float]:
    """Start a server, use it once, and return the seconds of each step."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), PORT, *APP) as address:
        page = browser.new_page()
        seconds = {}

        def until(what: str, role: str, name: str) -> None:
            page.get_by_role(role, name=name).first.wait_for()
            seconds[what] = time.perf_counter() - start

        page.goto(address)
        until("streamlit run to the Run button", "button", "Run")
        page.get_by_text("The code that does it").wait_for()
        seconds["streamlit run to the whole page"] = time.perf_counter() - start

        start = time.perf_counter()
        page.get_by_role("button", name="Run").click()
        until("Run to Stop button", "button", "Stop")
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").wait_for(state="detached")
        seconds["Run to the first visitor's result"] = time.perf_counter() - start

        for warm in (False, True):
            note = "warm" if warm else "first time"
            page.wait_for_timeout(1000)
            start = time.perf_counter()
            page.get_by_role("link", name="Sample").click()
            until(f"Compare to Sample, {note}", "button", "Write")
            page.wait_for_timeout(1000)
            start = time.perf_counter()
            page.get_by_role("link", name="Compare").click()
            until(f"Sample to Compare, {note}", "button", "Run")
        page.close()
        return seconds


if __name__ == "__main__":
    main()
