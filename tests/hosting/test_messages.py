"""Messages, files and connections that a public server refuses from everyone."""

import urllib.error
import urllib.request
from contextlib import AsyncExitStack, suppress

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode

from benchmarks.visitor import put
from helpers.serving import outcome_of, serving
from helpers.strangers import HOST, LIMITS, listener_of, stranger
from view.runs.import_run import IMPORTS
from view.shared.guard import DESCRIPTORS

pytestmark = pytest.mark.slow

MOST = b"x" * 18_000_000  # nearly the largest upload that `upload_server` takes


def test_nothing_is_taken_in(server, folder):
    async def visitor() -> None:
        async with stranger(server) as visitor:
            await visitor.open("Models")
            offered = " ".join(visitor.buttons)
            assert "Download" not in offered and "Upload model" not in offered
            assert any("does not accept uploads" in word for word in visitor.words)
            await visitor.open("Runs")
            assert "Import" not in " ".join(visitor.buttons)
            for size in (10, 2_000_000):
                assert await visitor.put(b"x" * size) == 403

    outcome_of(visitor())
    assert not (folder / "data" / "uploads").exists()
    with pytest.raises(urllib.error.HTTPError, match="40"):
        urllib.request.urlopen(f"{server}/_stcore/agent/interact", b"{}")


def test_uploads_are_bounded_for_each_session_and_for_all_and_not_in_memory(upload_server):
    process = psutil.Process(listener_of(upload_server))

    async def visitors() -> tuple[list[list[int]], int]:
        async with AsyncExitStack() as stack:
            all_four = [await stack.enter_async_context(stranger(upload_server)) for _ in range(4)]
            for one in all_four:
                await one.open("Runs")
            before = process.memory_info().rss
            codes = [[await one.put(MOST, str(i)) for i in range(3)] for one in all_four]
            return codes, process.memory_info().rss - before

    codes, grown = outcome_of(visitors())
    # Two for a session, five for the server.
    assert codes == [[204, 204, 413], [204, 204, 413], [204, 413, 413], [413] * 3]
    assert grown < 2.5 * len(MOST)


def test_one_network_does_not_fill_the_servers_room_for_uploads(upload_server):
    async def visitors() -> list[list[int]]:
        async with AsyncExitStack() as stack:
            first, cousin, other = [
                await stack.enter_async_context(stranger(upload_server, via=address))
                for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8")
            ]
            for one in (first, cousin, other):
                await one.open("Runs")
            return [
                [await one.put(MOST, str(i)) for i in range(2)] for one in (first, cousin, other)
            ]

    assert outcome_of(visitors()) == [[204, 204], [204, 413], [204, 204]]


def test_files_of_visitors_who_left_leave_room_for_others(upload_server):
    async def visitor() -> int:
        async with stranger(upload_server) as visitor:
            await visitor.open("Runs")
            return await visitor.put(MOST)

    assert [outcome_of(visitor()) for _ in range(7)] == [204] * 7


def test_a_file_without_a_session_is_refused(upload_server):
    assert put(upload_server, "made-up", b"x") == 400


def test_imports_are_bounded_for_each_network(upload_server):
    async def visitors() -> list[str]:
        said = []
        async with AsyncExitStack() as stack:
            first, cousin, other = [
                await stack.enter_async_context(stranger(upload_server, via=address))
                for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8")
            ]
            for one, times in ((first, IMPORTS.most), (cousin, 1), (other, 1)):
                await one.open("Runs")
                assert await one.choose("JSON or HTML", "run.json", b"[]") == 204
                for _ in range(times):
                    await one.press("Import")
                said += [set(one.problems)]
        return said

    refused = {r"The file must be an object, got \[\]."}
    first, cousin, other = outcome_of(visitors())
    assert first == other == refused
    assert cousin == {"Visitors of one network may import 60 runs per hour: try again later."}


def test_pages_come_under_the_servers_own_name_alone(server):
    async def status(host: str) -> int:
        port = int(server.rpartition(":")[2])
        where = {"host": "127.0.0.1", "port": port, "subprotocols": ["streamlit"]}
        try:
            async with connect(f"ws://{host}/_stcore/stream", **where):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    for host, expected in ((HOST, 101), (f"{HOST}:8501", 101), ("hostile.example.org", 403)):
        assert outcome_of(status(host)) == expected


def test_more_visitors_come_than_the_soft_limit_on_descriptors_has_room_for(
    tmp_path, folder, unused_port
):
    """Each visitor needs four descriptors; a server without any begins with some fifty."""
    few = (
        "import resource, runpy, sys; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard)); "
        "sys.argv = ['streamlit', 'run', 'streamlit_app.py', *sys.argv[1:]]; "
        "runpy.run_module('streamlit', run_name='__main__')"
    )

    async def visitors(address: str) -> list[list[str]]:
        async with AsyncExitStack() as stack:
            tabs = [await stack.enter_async_context(stranger(address)) for _ in range(40)]
            for tab in tabs:
                await tab.open("Audience")
            return [tab.problems for tab in tabs]

    with serving(tmp_path, unused_port(), "-c", few, **LIMITS) as address:
        assert outcome_of(visitors(address)) == [[]] * 40
        soft, hard = psutil.Process(listener_of(address)).rlimit(psutil.RLIMIT_NOFILE)
        assert soft == min(hard, DESCRIPTORS)


def test_a_visitor_clears_no_cache_and_starts_no_second_worker(server):
    def workers() -> list[int]:
        return [child.pid for child in psutil.Process(listener_of(server)).children()]

    async def visitor() -> None:
        async with stranger(server) as visitor:
            await visitor.open()
            before = workers()
            for message in (BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), BackMsg()):
                await visitor._socket.send(message.SerializeToString())
            await visitor.open()
            assert len(before) == 1 and workers() == before
            assert visitor.problems == []

    outcome_of(visitor())


def test_messages_that_no_page_needs_are_ignored_without_a_traceback(server, folder):
    """A traceback in the log fails the server's fixture."""
    names = BackMsg()
    names.file_urls_request.file_names.extend([""] * 400_000)
    query = BackMsg()
    query.rerun_script.query_string = "q=" + "x" * 900_000
    query.rerun_script.page_name = "Sweep"
    unknown = BackMsg()
    unknown.rerun_script.widget_states.widgets.add(id="a secret text", string_value="x")
    many = BackMsg()
    for i in range(10_000):
        many.rerun_script.widget_states.widgets.add(id=f"$$ID-{i}-None", bool_value=True)

    async def visitor() -> None:
        async with stranger(server) as visitor:
            await visitor.open()
            for message in (names, query, unknown, many):
                await visitor._socket.send(message.SerializeToString())
            await visitor._socket.send(b"\xff\xff not a message")
            await visitor._socket.send("a text")
            await visitor.open("Audience")
            assert visitor.problems == []

    outcome_of(visitor())
    assert "a secret text" not in (folder / "log").read_text()


def test_a_large_message_ends_its_connection_before_it_is_held(server):
    async def send(parts: list[bytes]) -> int:
        async with stranger(server) as visitor:
            await visitor.open("Audience")
            with suppress(ConnectionClosed):
                await visitor._socket.send(parts)
                await visitor._socket.wait_closed()
            return visitor._socket.close_code

    closed = CloseCode.MESSAGE_TOO_BIG, CloseCode.ABNORMAL_CLOSURE  # the second: it hung up first
    assert outcome_of(send([b"x" * 500_000] * 10)) in closed  # fragments of one message
    assert outcome_of(send([b"x" * 1_500_000])) in closed
