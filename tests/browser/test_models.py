"""Fetching on the page Models, from a mirror on loopback with a tiny corpus."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import wait_until_healthy
from mirror import Mirror
from playwright.sync_api import expect
from serve_tiny_corpus import FILES

SCRIPT = Path(__file__).resolve().parent / "serve_tiny_corpus.py"


@pytest.fixture(scope="module")
def mirror():
    with Mirror() as mirror:
        mirror.files.update(FILES)
        yield mirror


@pytest.fixture(scope="module")
def server(mirror, tmp_path_factory, unused_port):
    """A server that fetches from the mirror."""
    folder, port = tmp_path_factory.mktemp("models-server"), unused_port()
    environment = {
        **os.environ,
        "WLM_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite'}",
        "WLM_DATA": str(folder / "data"),
        "WLM_MIRROR": mirror.url,
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(SCRIPT.parent.parent.parent),
    }
    command = [sys.executable, str(SCRIPT), "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=SCRIPT.parent.parent.parent, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
    assert "Traceback" not in (folder / "log").read_text()


def test_get_wikitext2_stop_it_get_it_again_and_choose_it(page, server, mirror):
    mirror.faults["train.txt"] = "stalls"
    page.goto(f"{server}/Models")
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Get WikiText-2").click()
    expect(main.get_by_text("Fetching wikitext-2")).to_be_visible()
    expect(main.get_by_role("button", name="Get the tutorial's weights")).to_be_disabled()
    main.get_by_role("button", name="Stop").click()
    expect(main.get_by_text("Stopping …")).to_be_visible()
    mirror.go_on.set()
    expect(main.get_by_text("was stopped: nothing of it is kept")).to_be_visible()

    mirror.faults["train.txt"] = "dies half-way"
    main.get_by_role("button", name="Get WikiText-2").click()
    expect(main.get_by_text("the connection broke")).to_be_visible()
    expect(main.get_by_text("Try again, or give another source")).to_be_visible()

    mirror.faults.clear()
    main.get_by_role("button", name="Get WikiText-2").click()
    expect(main.get_by_text("Here, and its hash is right")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("combobox", name="Text").click()
    page.get_by_role("option", name="wikitext-2").click()
    expect(page).to_have_url(re.compile("text=wikitext-2"))
