"""The real nginx with the project's configuration."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.processes import ROOT
from helpers.serving import is_healthy
from helpers.waiting import wait_for

CONFIG = ROOT / "deploy" / "nginx.conf"


def program() -> str | None:
    """Return the program, if it is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def adapted(folder: Path, front: int, ports: list[int]) -> str:
    """Return the project's configuration with other ports, in a folder of its own."""
    text = CONFIG.read_text("utf-8").replace("/tmp/", f"{folder}/")
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{front};")
    for name, port in zip(("server-a", "server-b"), ports, strict=True):
        text = text.replace(f"{name}:8501", f"127.0.0.1:{port}")
    return text


@contextmanager
def proxying(folder: Path, front: int, ports: list[int]) -> Iterator[str]:
    """Run nginx before the servers at these ports, with its files in a new folder; the value is
    its address."""
    folder.mkdir()
    as_root = "user root;\n" if os.geteuid() == 0 else ""  # only root enters a test's folder
    (folder / "nginx.conf").write_text(as_root + adapted(folder, front, ports), "utf-8")
    command = [program(), "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"]
    address = f"http://127.0.0.1:{front}"
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: process.poll() is not None or is_healthy(address), "nginx")
        assert process.poll() is None, "nginx did not start"
        yield address
    finally:
        process.terminate()
        process.wait()
