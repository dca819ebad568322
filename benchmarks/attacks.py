"""Attacks on a public server: its memory before, during and after, and other visitors' waits.

    python -m benchmarks.attacks [--seconds 10]

Each attack lasts for these seconds, from one network address, while another visitor opens a page
repeatedly. Linux only.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import WebSocketException

from benchmarks.memory import Memory, percentile_95
from benchmarks.visitor import Visitor, visit
from helpers.serving import APP, free_port, serving
from wlm.audience.room import CODE_LENGTH, LETTERS
from wlm.measuring.machine import describe_machine

GONE = (OSError, WebSocketException, TimeoutError)
LOOK_SECONDS = 0.1
CONNECTIONS = 12  # of an attacker
VIA = "203.0.113.7"  # an attacker's network address
MOST_MEGABYTES, MOST_SECONDS = 1_500.0, 1.0  # promised
COOKIE = "_streamlit_xsrf=2|00|{}|1"


@asynccontextmanager
async def stranger(address: str, secret: str = "") -> AsyncIterator[Visitor]:
    """A visitor of the attacker's network with a made-up cookie, by default a new one."""
    async with visit(address, COOKIE.format(secret or secrets.token_hex(16)), VIA) as visitor:
        yield visitor


async def rest(address: str, visitor: Visitor) -> None:
    """none"""
    await asyncio.sleep(1.0)


async def clear_caches(address: str, visitor: Visitor) -> None:
    """`BackMsg(clear_cache=True)`, then a page"""
    await visitor._socket.send(BackMsg(clear_cache=True).SerializeToString())
    await visitor.open("Audience")


async def send_file(address: str, visitor: Visitor) -> bool:
    """`PUT /_stcore/upload_file/…` with 10 MB"""
    await visitor.open("Audience")
    status = await visitor.put(bytes(10_000_000))
    return status == 204


async def send_fragments(address: str, visitor: Visitor) -> None:
    """a message that never ends, in fragments of 1 MB"""

    async def parts():
        for _ in range(200):
            yield bytes(1_000_000)

    await visitor._socket.send(parts())


async def send_query(address: str, visitor: Visitor) -> None:
    """queries of 0.9 MB"""
    message = BackMsg()
    message.rerun_script.query_string = "q=" + "x" * 900_000
    await visitor._socket.send(message.SerializeToString())


async def send_widgets(address: str, visitor: Visitor) -> None:
    """states of 20,000 unknown widgets"""
    message = BackMsg()
    for i in range(20_000):
        message.rerun_script.widget_states.widgets.add(id=f"$$ID-{i}-x", bool_value=True)
    await visitor._socket.send(message.SerializeToString())


async def send_names(address: str, visitor: Visitor) -> None:
    """a `file_urls_request` with 400,000 empty names"""
    message = BackMsg()
    message.file_urls_request.file_names.extend([""] * 400_000)
    await visitor._socket.send(message.SerializeToString())


async def start_run(address: str, visitor: Visitor) -> bool:
    """Run pressed on Compare, each time with a new cookie"""
    async with stranger(address) as one:
        await one.open()
        await one.press("Run")
        return "run=" in one.query


async def write(address: str, visitor: Visitor) -> None:
    """Write pressed on Sample, in 12 tabs with one cookie"""
    async with stranger(address, "ab" * 16) as tab:
        await tab.open("Sample")
        await tab.press("Write")


async def open_room(address: str, visitor: Visitor) -> bool:
    """rooms opened, each time with a new cookie"""
    async with stranger(address) as one:
        await one.open("Audience")
        await one.press("Open a room")
        return "room=" in one.query


async def guess_code(address: str, visitor: Visitor) -> bool:
    """codes of rooms tried"""
    await visitor.open("Audience")
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    visitor.forged["Room code"] = "string_value", code
    await visitor.press("Join")
    visitor.forged.clear()
    return "room=" in visitor.query


async def import_run(address: str, visitor: Visitor) -> bool:
    """files of 0.9 MB imported that are no runs"""
    await visitor.open("Runs")
    before = len(visitor.problems)
    content = b"[" + b"0," * 450_000 + b"0]"
    status = await visitor.choose("JSON or HTML", "run.json", content)
    await visitor.press("Import")
    return status == 204 and not any("of one network" in said for said in visitor.problems[before:])


async def send_files(address: str, visitor: Visitor) -> bool:
    """`PUT /_stcore/upload_file/…` with 0.9 MB, under new names"""
    await visitor.open("Audience")
    name = secrets.token_hex(8)
    status = await visitor.put(bytes(900_000), name)
    return status == 204


Attack = Callable[[str, Visitor], Awaitable[bool | None]]
OF_MESSAGES: tuple[Attack, ...] = (
    *(clear_caches, send_file, send_fragments, send_query, send_widgets, send_names),
)
CLAIMS: dict[Attack, str] = {
    rest: "(as usual)",
    clear_caches: "nobody resets limits or starts a second worker",
    send_file: "no file is accepted if uploads and imports are off",
    send_fragments: "large messages are not kept",
    send_query: "messages cost neither memory nor log space",
    send_widgets: "the same",
    send_names: "the same",
    start_run: "one network cannot fill the queue",
    write: "one visitor takes one turn",
    open_room: "one network cannot take all rooms",
    guess_code: "room codes cannot be guessed",
}
WITH_IMPORTS: dict[Attack, str] = {
    import_run: "one network imports 60 files per hour",
    send_files: "files are bounded if uploads or imports are on",
}


async def attack(address: str, how: Attack, seconds: float) -> Counter[str]:
    """Attack a server by several connections, each opened again if the server ends it; return how
    many messages were sent, and how many the server accepted."""
    end, count = time.monotonic() + seconds, Counter()

    async def go_on() -> None:
        while time.monotonic() < end:
            with suppress(*GONE):
                async with (
                    asyncio.timeout(end - time.monotonic() + 1.0),
                    visit(address, via=VIA) as visitor,
                ):
                    while time.monotonic() < end:
                        count["sent"] += 1
                        accepted = bool(await how(address, visitor))
                        count["accepted"] += accepted  # not in one line: others count meanwhile

    await asyncio.gather(*(go_on() for _ in range(CONNECTIONS)))
    return count


async def look(address: str, until: asyncio.Task) -> list[float]:
    """Return the seconds that another visitor waits for a page, again and again."""
    waited = []
    async with visit(address) as visitor:
        await visitor.open("Runs")
        while not (waited and until.done()):
            waited.append(await visitor.open("Runs"))
            await asyncio.sleep(LOOK_SECONDS)
    return waited


async def try_all(address: str, attacks: dict[Attack, str], seconds: float) -> bool:
    """Print a row for each attack; return whether all stayed within the promised limits."""
    held = True
    async with visit(address) as visitor:
        await visitor.open()  # the worker starts
    await asyncio.sleep(5.0)
    for how, claim in attacks.items():
        with Memory() as memory:
            attacking = asyncio.create_task(attack(address, how, seconds))
            p95 = percentile_95(await look(address, attacking))
            count = await attacking
        sent = f"{count['sent']:,}, {count['accepted']:,}"
        print(f"| {claim} | {how.__doc__} | {sent} | {memory} | {p95:.2f} |", flush=True)
        held &= memory.most < MOST_MEGABYTES and p95 < MOST_SECONDS
    return held


@contextmanager
def public_server(**settings: str) -> Iterator[str]:
    """Start a public server with an empty store at a free port; the value is its address."""
    with (
        tempfile.TemporaryDirectory(prefix="wlm-attacks-") as folder,
        serving(Path(folder), free_port(), *APP, WLM_PUBLIC="1", **settings) as address,
    ):
        yield address


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    options = parser.parse_args()
    machine, held = describe_machine(), True
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}\n")
    print("| claim | messages | sent, accepted | memory before, most, after, MB | others' p95, s |")
    print("|---|---|---|---|---|")
    imports = {"WLM_ALLOW_IMPORT": "1", "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "1"}
    for settings, attacks in (({}, CLAIMS), (imports, WITH_IMPORTS)):
        with public_server(**settings) as address:
            held &= asyncio.run(try_all(address, attacks, options.seconds))
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
