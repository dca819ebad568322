"""Strangers at a public server, who speak its protocol themselves: whatever they send it, they get
no more than a browser would."""

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode

from benchmarks.visitor import put, visit
from helpers.serving import APP, outcome_of, serving
from helpers.tiny import LINE, WORDS, tiny_model
from helpers.waiting import PATIENCE, ended, wait_for
from view.runs.import_run import IMPORTS
from view.shared.guard import DESCRIPTORS
from wlm.cli.main import main
from wlm.runs.heartbeat import SUFFIX
from wlm.runs.run import State
from wlm.runs.store import RunStore
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import save_checkpoint

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    save_checkpoint(folder / "models" / "tiny", tiny_model(), Vocabulary(WORDS))
    (folder / "texts").mkdir()
    (folder / "texts" / "short.txt").write_text(LINE * 40, "utf-8")
    (folder / "texts" / "long.txt").write_text(LINE * 80_000, "utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder, unused_port) -> Iterator[str]:
    """The address of a server for strangers."""
    places = {"WLM_MODELS": str(folder / "models"), "WLM_TEXTS": str(folder / "texts")}
    with serving(folder, unused_port(), *APP, **places, **LIMITS) as address:
        yield address


@pytest.fixture
def small_server(tmp_path, folder, unused_port) -> Iterator[str]:
    """The address of one that starts two runs within an hour, of a second each."""
    places = {"WLM_MODELS": str(folder / "models"), "WLM_TEXTS": str(folder / "texts")}
    limits = {**LIMITS, "WLM_RUNS_PER_SERVER": "2", "WLM_RUN_SECONDS": "1"}
    with serving(tmp_path, unused_port(), *APP, **places, **limits) as address:
        yield address


@pytest.fixture
def upload_server(tmp_path, folder, unused_port) -> Iterator[str]:
    """The address of one that takes runs of other servers, a megabyte at once."""
    with serving(tmp_path, unused_port(), *APP, **LIMITS, WLM_ALLOW_IMPORT="1") as address:
        yield address


def listener_of(server: str) -> int:
    """Return the process id of a server."""
    (pid,) = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == "LISTEN" and connection.laddr.port == int(server.rpartition(":")[2])
    }
    return pid


@pytest.fixture(scope="module")
def store(folder, server) -> RunStore:
    return RunStore(f"sqlite:///{folder / 'runs.sqlite'}")


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


def test_each_one_starts_its_own_runs_sees_them_alone_and_no_more(server, store):
    async def anna() -> str:
        async with stranger(server, "anna") as visitor:
            run_id = await begin(visitor, SHORT)
            assert visitor.problems == []
            await asyncio.to_thread(ended, store, run_id)
            await begin(visitor, SHORT)
            # The widget's state is another, the visitor the same.
            visitor.forged["How much text"] = "string_array_value", ["A few seconds"]
            await asyncio.to_thread(wait_for, lambda: not store.unfinished(), "the second run")
            await visitor.press("Run")
            assert (
                "ach visitor of this server may start 2 runs within an hour"
                in (visitor.problems[-1])
            )
            assert "the next may start in about 60 minutes" in visitor.problems[-1]
        return run_id

    async def bert(run_id: str) -> None:
        heard = []
        async with stranger(server, "bert") as visitor:
            visitor.heard = lambda message: heard.append(message.SerializeToString())
            await visitor.open("Runs")
            assert run_id.encode() not in b"".join(heard)
            # With its link anyone sees it, and only its owner may delete it.
            await visitor.open("Runs", f"run={run_id}")
            assert visitor.problems == [] and run_id.encode() in b"".join(heard)
            assert "Delete for good" not in visitor.buttons
        async with stranger(server, "anna") as visitor:
            await visitor.open("Runs", f"run={run_id}")
            assert "Delete for good" in visitor.buttons

    run_id = outcome_of(anna())
    assert store.get(run_id).state == State.DONE
    outcome_of(bert(run_id))


def test_nobody_stops_anothers_run(server, store):
    async def carl_and_dora() -> None:
        async with stranger(server, "carl") as carl, stranger(server, "dora") as dora:
            run_id = await begin(carl, LONG)
            await asyncio.to_thread(wait_for, lambda: store.get(run_id).result, "numbers")
            await carl.open("", f"{LONG}&run={run_id}")
            await dora.open("", f"{LONG}&run={run_id}")
            assert "Stop" in carl.buttons and "Stop" not in dora.buttons and dora.follows
            # The button's name is no secret.
            for fragment in ("", next(iter(dora._ticking))):
                dora._buttons["Stop"] = carl._buttons["Stop"][0], fragment
                await dora.press("Stop")
            assert not store.get(run_id).stop_requested
            await carl.press("Stop")
            run = await asyncio.to_thread(ended, store, run_id)
            assert (run.state, run.message) == (State.STOPPED, "")

    outcome_of(carl_and_dora())


@pytest.mark.parametrize(
    ("query", "forged", "words"),
    [
        # Neither a browser's widgets nor the page's address offer these.
        (SHORT, {"Model": ("string_value", "/etc/passwd")}, ""),
        (SHORT, {"Text": ("string_value", "../../../etc/passwd")}, ""),
        (SHORT, {"Model": ("string_value", "upload-0123456789ab")}, ""),
        (SHORT, {"Threads": ("string_array_value", ["64"])}, ""),
        ("model=../../etc&text=/etc/passwd&threads=64", {}, ""),
        (
            f"{SHORT}&also=onnxruntime:&also=pytorch:lstm=int8",
            {},
            "the number of variants must be a whole number from 1 to 3 (on this server), got 4",
        ),
        (
            SHORT,
            {"Also compare": ("string_array_value", ["int8 LSTM", "int8 Linear", "int8 all"])},
            "the number of variants must be",
        ),
    ],
)
def test_forged_states_and_addresses_start_nothing_beyond_the_limits(
    server, store, query, forged, words
):
    async def visitor() -> list[str]:
        async with stranger(server) as visitor:
            await visitor.open("", query)
            visitor.forged.update(forged)
            await visitor.press("Run")
            return visitor.problems

    before = {run.id for run in store.list_runs("compare")}
    problems = outcome_of(visitor())
    runs = [run for run in store.list_runs("compare") if run.id not in before]
    assert not any("defect" in problem for problem in problems)
    if words:
        assert runs == [] and words in problems[-1].replace("\\", "").lower()
    for run in runs:  # of what the page offers, in place of what was forged
        assert run.spec["model"] in ("tiny", "wikitext2-lstm")
        assert run.spec["text"] in ("short", "demo")
        assert run.spec["threads"] == 1 and len(run.spec["variants"]) <= 3
        store.update(run.id, stop_requested=True)
        ended(store, run.id)


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
                assert await asyncio.to_thread(put, server, visitor.session, b"x" * size) == 403

    outcome_of(visitor())
    assert not (folder / "data" / "uploads").exists()
    with pytest.raises(urllib.error.HTTPError, match="40"):
        urllib.request.urlopen(f"{server}/_stcore/agent/interact", b"{}")


def test_uploads_are_bounded_for_each_session_and_for_all(upload_server):
    async def visitors() -> list[list[int]]:
        codes = []
        async with AsyncExitStack() as stack:
            for _ in range(4):
                one = await stack.enter_async_context(stranger(upload_server))
                await one.open("Runs")
                sent = [
                    await asyncio.to_thread(put, upload_server, one.session, b"x" * 900_000, str(i))
                    for i in range(3)
                ]
                codes.append(sent)
        return codes

    # Two of a megabyte each for a session, five for the server.
    assert outcome_of(visitors()) == [[204, 204, 413], [204, 204, 413], [204, 413, 413], [413] * 3]


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


def test_only_a_runs_id_comes_from_an_address_to_the_log(server, folder):
    async def visitor() -> None:
        async with stranger(server) as visitor:
            await visitor.open("Runs", "run=abcdefghijklmnop")
            await visitor.open("Runs", "run=myownsecret")

    outcome_of(visitor())
    log = (folder / "log").read_text()
    assert '"run": "abcdefghijklmnop"' in log and "myownsecret" not in log


def test_who_hosts_it_is_said_as_it_is_written(server):
    async def words() -> list[str]:
        async with stranger(server) as visitor:
            await visitor.open("Sweep")
            return visitor.words

    assert r"Hosted by \[A\]\(https\:\/\/example\.org\) for tests\." in outcome_of(words())


def test_the_log_has_a_line_an_event_without_texts_names_or_addresses(server, folder, store):
    async def visitor() -> None:
        async with stranger(server, "emil") as visitor:
            await asyncio.to_thread(ended, store, await begin(visitor, SHORT))
            await visitor.open("Sample", "prompt=the secret bridge")

    outcome_of(visitor())
    text = (folder / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {"page", "queued", "run"} <= {line["event"] for line in lines}
    assert "done" in {line["outcome"] for line in lines if line["event"] == "run"}
    assert all(len(line["visitor"]) == 8 for line in lines if "visitor" in line)
    assert {"page", "seconds", "outcome"} <= lines[-1].keys()
    for word in ("secret", "127.0.0.1", b"emil".hex()):
        assert all(word not in json.dumps(line) for line in lines)


def test_a_check_of_the_server_reads_its_workers_heartbeat(server, store, monkeypatch, capsys):
    monkeypatch.setenv("WLM_DATABASE_URL", store.url)

    async def come() -> None:
        async with stranger(server) as visitor:
            await visitor.open("Runs")

    outcome_of(come())
    wait_for(lambda: any(name.endswith(SUFFIX) for name in store.signs()), "the first heartbeat")
    assert main(["check", "--server", server]) == 0
    printed = capsys.readouterr().out
    assert f"✓ server: {server} answers" in printed and "✓ worker: it gives heartbeats" in printed
    (worker,) = psutil.Process(listener_of(server)).children()
    worker.kill()
    worker.wait(PATIENCE)
    assert main(["check", "--server", server]) == 1
    assert "✗ worker: no heartbeat for 15 s from the worker of " in capsys.readouterr().out


def test_made_up_cookies_start_no_more_runs_and_no_longer_ones(small_server, tmp_path):
    store = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")

    async def one_after_the_other() -> list[str]:
        said = []
        for _ in range(3):
            async with stranger(small_server) as visitor:
                run_id = await begin(visitor, LONG)
                said.append("".join(visitor.problems))
                if run_id:
                    # It would read its text for minutes.
                    run = await asyncio.to_thread(ended, store, run_id)
                    assert run.message == "This server ends a run after 1 s of measuring"
        return said

    *before, last = outcome_of(one_after_the_other())
    assert before == ["", ""]
    assert "ll visitors of this server may start 2 runs within an hour" in last
    assert len(store.list_runs("compare")) == 2
