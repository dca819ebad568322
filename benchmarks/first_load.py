"""What a browser loads on a first visit, without and with nginx in front of the server.

    python -m benchmarks.first_load

Counts the bytes of files as they are transferred, for Compare and for a voter's phone in a room of
the Audience, and the seconds that they take at 1.6 Mbit/s.
"""

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.visitor import visit
from helpers.browsing import IDLE, new_context
from helpers.nginx import proxying
from helpers.serving import APP, free_port, outcome_of, serving
from wlm.measuring.machine import describe_machine

BITS_PER_SECOND = 1_600_000
OPTIONS = ["--no-sandbox", "--disable-gpu"]


async def open_room(address: str) -> str:
    """Open a room and return its code."""
    async with visit(address) as host:
        await host.open("Audience")
        await host.press("Open a room")
        return dict(pair.split("=") for pair in host.query.split("&"))["room"]


def load(browser: Browser, url: str) -> tuple[int, int]:
    """Load a page with an empty cache; return how many files and how many bytes came."""
    context = new_context(browser)
    page = context.new_page()
    files: list[int] = []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: files.append(event["encodedDataLength"]))
    page.goto(url)
    page.wait_for_selector(IDLE, state="attached")
    page.wait_for_load_state("networkidle")
    context.close()
    return len(files), int(sum(files))


def main() -> None:
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}\n")
    with (
        tempfile.TemporaryDirectory(prefix="wlm-load-") as folder,
        serving(Path(folder), port := free_port(), *APP) as server,
        proxying(Path(folder) / "nginx", free_port(), [port, port]) as front,
        sync_playwright() as playwright,
    ):
        code = outcome_of(open_room(server))
        path = os.environ.get("WLM_BROWSER") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        print("| page | files | MB | s at 1.6 Mbit/s |\n|---|---|---|---|")
        for page, way in (("Compare", ""), ("a voter's", f"Audience?room={code}")):
            for what, address in (("without nginx", server), ("with nginx", front)):
                files, size = load(browser, f"{address}/{way}")
                seconds = 8 * size / BITS_PER_SECOND
                print(
                    f"| {page}, {what} | {files} | {size / 1e6:.2f} | {seconds:.1f} |", flush=True
                )
        browser.close()


if __name__ == "__main__":
    main()
