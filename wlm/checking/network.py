"""Where is the app reached, and does it need anything of the network?"""

import errno
import os
import socket
import tomllib
from collections.abc import Iterator
from urllib.parse import urlsplit

from wlm.checking.finding import Finding
from wlm.checking.server import is_healthy
from wlm.errors import parse_whole
from wlm.network import addresses
from wlm.paths import ROOT, database_url

DEFAULT_PORT = 8501  # Streamlit's
CONFIG = ROOT / ".streamlit" / "config.toml"
HERE = {"localhost", "127.0.0.1", "::1", ""}


def look(port: int | None = None) -> Iterator[Finding]:
    """Find whether the port is free, the addresses that others can reach, and what needs a
    network."""
    port = port or configured_port()
    yield _port(port)
    others = addresses()
    found = ", ".join(f"http://{address}:{port}" for address in others)
    yield Finding(
        "address",
        True,
        f"others in your network can open {found}, unless a firewall blocks it"
        if found
        else f"no network: only this machine can open http://localhost:{port}",
    )
    yield from _needed()


def configured_port() -> int:
    """Return the port that the app will listen on."""
    port = os.environ.get("STREAMLIT_SERVER_PORT") or server_settings().get("port")
    return parse_whole(str(port)) or DEFAULT_PORT


def server_settings() -> dict:
    """Return the settings of the server in Streamlit's configuration file."""
    settings = tomllib.loads(CONFIG.read_text("utf-8")) if CONFIG.exists() else {}
    return settings.get("server", {})


def _port(port: int) -> Finding:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
        return Finding("port", True, f"{port} is free")
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_healthy(f"http://127.0.0.1:{port}"):
            return Finding("port", True, f"{port}: a Streamlit app already answers there")
        todo = "close the program that uses it, or choose another port with --server.port"
        return Finding("port", False, f"{port}: {error.strerror}", todo)


def _needed() -> Iterator[Finding]:
    for what, variable, address in (
        ("store of runs", "WLM_DATABASE_URL", database_url()),
        ("cluster", "WLM_DASK", os.environ.get("WLM_DASK", "")),
    ):
        host = urlsplit(address).hostname or ""
        if host in HERE:
            continue
        todo = f"unset {variable} if there is no network"
        try:
            socket.getaddrinfo(host, None)
            yield Finding(f"network, {what}", True, f"{host} was found")
        except OSError as error:
            yield Finding(
                f"network, {what}", False, f"{host} was not found: {error.strerror}", todo
            )
            return
    yield Finding(
        "network",
        True,
        "not needed: models, texts, fonts and scripts are installed; only Download on the page "
        "Models uses it",
    )
