"""Visitors of a public server who speak its protocol themselves, with cookies that they made up."""

import secrets
from contextlib import asynccontextmanager

import psutil

from benchmarks.visitor import visit

SHORT = "model=tiny&text=short&amount=All of it"
LONG = "model=tiny&text=long&amount=All of it"
HOST = "wlm.example.org"
LIMITS = {
    "WLM_PUBLIC": "1",
    "WLM_HOST_NOTE": "Hosted by [A](https://example.org) for tests.",
    "WLM_RUNS_PER_VISITOR": "2",
    "WLM_RUN_SECONDS": "60",
    "WLM_RUN_VARIANTS": "3",
    "WLM_RUN_THREADS": "1",
    "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "1",
    "STREAMLIT_SERVER_ALLOWED_HOSTS": f"{HOST} 127.0.0.1",
}


def listener_of(server: str) -> int:
    """Return the process id of a server."""
    (pid,) = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == "LISTEN" and connection.laddr.port == int(server.rpartition(":")[2])
    }
    return pid


@asynccontextmanager
async def stranger(server: str, name: str = "", via: str = ""):
    """A visitor with a cookie that it made up: by one name always the same. A proxy reports `via`
    as its network address."""
    secret = name.encode().hex() if name else secrets.token_hex(8)
    async with visit(server, f"_streamlit_xsrf=2|00|{secret}|1", via) as visitor:
        yield visitor


async def begin(visitor, query: str) -> str:
    """Press Run on Compare and return the id of the run that the address then names, if any."""
    await visitor.open("", query)
    await visitor.press("Run")
    return dict(pair.split("=") for pair in visitor.query.split("&")).get("run", "")
