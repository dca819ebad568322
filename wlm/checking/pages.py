"""Does every page draw? A process of its own draws them: wlm knows nothing of Streamlit."""

import json
import subprocess
import sys
from collections.abc import Iterator

from wlm.checking.finding import Finding
from wlm.paths import ROOT

PATIENCE = 60.0  # seconds until the pages are given up
TODO = "see what stands above, or in the server's log"


def start() -> subprocess.Popen:
    """Begin to draw the pages, while other checks go on."""
    return view_process("view.probing.render")


def look(process: subprocess.Popen) -> Iterator[Finding]:
    """Return what each page said, once all are drawn."""
    try:
        printed, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        yield Finding("pages", False, f"they were not drawn within {PATIENCE:.0f} s", TODO)
        return
    for line in printed.splitlines():
        page = json.loads(line)
        found = "; ".join(page["problems"]) or f"drawn in {page['seconds']:.1f} s"
        yield Finding(f"page {page['page']}", not page["problems"], found, TODO)
    if process.returncode:
        last = (errors.strip().splitlines() or ["no reason given"])[-1]
        yield Finding("pages", False, f"drawing them failed: {last[:200]}", TODO)


def view_process(module: str, *arguments: str) -> subprocess.Popen:
    """Start a module of view/ in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
