"""Attacks on a public server: its memory before, during and after, and other visitors' waits.

    python -m benchmarks.attacks [--seconds 10]

Each attack lasts for these seconds, while another visitor opens a page repeatedly. Linux only.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import WebSocketException

from benchmarks.visitor import Visitor, visit
from helpers.serving import APP, serving
from wlm.measuring.machine import describe_machine

GONE = (OSError, WebSocketException, TimeoutError)
LOOK_SECONDS = 0.1


async def clear_caches(address: str, visitor: Visitor) -> None:
    """`BackMsg(clear_cache=True)`, then a page."""
    await visitor._socket.send(BackMsg(clear_cache=True).SerializeToString())
    await visitor.open("Audience")


async def upload(address: str, visitor: Visitor) -> None:
    """`PUT /_stcore/upload_file/…` with 10 MB."""
    await visitor.open("Audience")
    url = f"{address}/_stcore/upload_file/{visitor.session}/{time.monotonic_ns()}"
    token = f"2|00000000|{'ab' * 16}|1700000000"
    headers = {"Cookie": f"_streamlit_xsrf={token}", "X-Xsrftoken": token}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    head = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    body = head + bytes(10_000_000) + b"\r\n--x--\r\n"
    request = urllib.request.Request(url, body, headers, method="PUT")
    with suppress(OSError):
        await asyncio.to_thread(urllib.request.urlopen, request, timeout=10.0)


async def send_fragments(address: str, visitor: Visitor) -> None:
    """A message that never ends, in fragments of 1 MB."""

    async def parts():
        for _ in range(200):
            yield bytes(1_000_000)

    await visitor._socket.send(parts())


async def send_query(address: str, visitor: Visitor) -> None:
    """Queries of 0.9 MB."""
    message = BackMsg()
    message.rerun_script.query_string = "q=" + "x" * 900_000
    await visitor._socket.send(message.SerializeToString())


async def send_widgets(address: str, visitor: Visitor) -> None:
    """States of 20,000 unknown widgets."""
    message = BackMsg()
    for i in range(20_000):
        message.rerun_script.widget_states.widgets.add(id=f"$$ID-{i}-x", bool_value=True)
    await visitor._socket.send(message.SerializeToString())


async def send_names(address: str, visitor: Visitor) -> None:
    """A `file_urls_request` with 400,000 empty names."""
    message = BackMsg()
    message.file_urls_request.file_names.extend([""] * 400_000)
    await visitor._socket.send(message.SerializeToString())


Attack = Callable[[str, Visitor], Awaitable[None]]
ATTACKS: tuple[Attack, ...] = (
    clear_caches,
    upload,
    send_fragments,
    send_query,
    send_widgets,
    send_names,
)
CONNECTIONS = 12  # of an attacker


async def attack(address: str, how: Attack, seconds: float) -> int:
    """Attack a server by several connections, each opened again if the server ends it; return how
    many messages were sent."""
    end, sent = time.monotonic() + seconds, 0

    async def go_on() -> None:
        nonlocal sent
        while time.monotonic() < end:
            with suppress(*GONE):
                async with asyncio.timeout(end - time.monotonic() + 1.0), visit(address) as visitor:
                    while time.monotonic() < end:
                        await how(address, visitor)
                        sent += 1
            sent += 1

    await asyncio.gather(*(go_on() for _ in range(CONNECTIONS)))
    return sent


async def look(address: str, until: asyncio.Task) -> list[float]:
    """Return the seconds that another visitor waits for a page, again and again."""
    waited = []
    async with visit(address) as visitor:
        await visitor.open("Runs")
        while not until.done():
            waited.append(await visitor.open("Runs"))
            await asyncio.sleep(LOOK_SECONDS)
    return waited


class Memory:
    """The memory of this process's children, measured while a block lasts, in megabytes."""

    def __enter__(self) -> "Memory":
        self.before = self.most = _megabytes()
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._watching.join()
        self.after = _megabytes()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, _megabytes())


def _megabytes() -> float:
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += child.memory_full_info().pss / 1e6
    return total


async def try_all(address: str, seconds: float) -> bool:
    """Print a row for each attack; return whether all stayed within the promised limits."""
    held = True
    async with visit(address) as visitor:
        await visitor.open()  # the worker starts
    await asyncio.sleep(5.0)
    print(
        "| messages | sent | memory before, most, after, MB | others' p95, s |\n|---|---|---|---|"
    )
    for how in ATTACKS:
        with Memory() as memory:
            attacking = asyncio.create_task(attack(address, how, seconds))
            waited = sorted(await look(address, attacking))
            sent = await attacking
        p95 = waited[int(0.95 * len(waited))] if waited else float("inf")
        figures = f"{memory.before:,.0f}, {memory.most:,.0f}, {memory.after:,.0f}"
        print(f"| {how.__doc__.rstrip('.')} | {sent:,} | {figures} | {p95:.2f} |", flush=True)
        held &= memory.most < 1_500.0 and p95 < 1.0
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        tempfile.TemporaryDirectory(prefix="wlm-attacks-") as folder,
        serving(Path(folder), port, *APP, WLM_PUBLIC="1") as address,
    ):
        return int(not asyncio.run(try_all(address, options.seconds)))


if __name__ == "__main__":
    sys.exit(main())
