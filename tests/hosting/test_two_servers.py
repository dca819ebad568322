"""Two servers behind nginx, their runs in PostgreSQL and measured by a Dask cluster, all real."""

import asyncio
import gzip
import hashlib
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import yaml

from benchmarks.visitor import visit
from helpers.dask_cluster import Cluster
from helpers.nginx import CONFIG, adapted, program, proxying
from helpers.serving import APP, outcome_of, serving
from helpers.strangers import LONG, SHORT, begin
from helpers.waiting import ended, wait_for
from view.shared.page import MENU
from wlm.runs.run import State
from wlm.runs.store import RunStore

pytestmark = pytest.mark.slow


class Site:
    """What visitors and the database see: nginx's address, both servers', and the runs."""

    def __init__(self, address: str, servers: list[str], folders: list[Path], store: RunStore):
        self.address, self.servers, self.folders, self.store = address, servers, folders, store

    def who_logged(self, event: str, words: str) -> int:
        """Return which server has logged an event with these words."""
        logs = [(folder / "log").read_text().splitlines() for folder in self.folders]
        found = [any(f'"{event}"' in line and words in line for line in log) for log in logs]
        assert sum(found) == 1
        return found.index(True)

    def kill(self, server: int) -> None:
        """Kill a server."""
        port = int(self.servers[server].rpartition(":")[2])
        listening = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.status == "LISTEN"
        ]
        (pid,) = {connection.pid for connection in listening if connection.laddr.port == port}
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def nginx() -> None:
    """Skip the test without nginx, which tests/run.py installs."""
    if not program():
        reason = "no nginx: tests/run.py tells how it looks for one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture
def site(
    tmp_path, nginx, postgres, unused_port, model_folder, text_file, monkeypatch
) -> Iterator[Site]:
    text_file.with_name("long.txt").write_text(text_file.read_text() * 2_000)
    url = postgres.new_database()
    places = {"WLM_MODELS": str(model_folder.parent), "WLM_TEXTS": str(text_file.parent)}
    places |= {"WLM_DATABASE_URL": url, "WLM_DATA": str(tmp_path / "data")}
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    ports, front = [unused_port(), unused_port()], unused_port()
    folders = [tmp_path / "a", tmp_path / "b"]
    dask = Cluster(unused_port())
    with ExitStack() as stack:
        stack.callback(dask.close)
        for _ in range(2):
            dask.add_worker()
        options = {**places, "WLM_DASK": dask.address, "WLM_PUBLIC": "1", "WLM_RUN_SECONDS": "600"}
        servers = []
        for folder, port in zip(folders, ports, strict=True):
            folder.mkdir()
            servers.append(stack.enter_context(serving(folder, port, *APP, **options)))
        address = stack.enter_context(proxying(tmp_path / "nginx", front, ports))
        yield Site(address, servers, folders, RunStore(url))


def cookie(name: str, place: str) -> str:
    """A visitor's cookies: the server's, which says who it is, and nginx's."""
    return f"_streamlit_xsrf=2|00|{name.encode().hex()}|1; wlm_place={place}"


async def check_first_visitors(server: str) -> None:
    """All who come to a new server at once find every page whole."""

    async def open_page(name: str) -> list[str]:
        async with visit(server) as visitor:
            await visitor.open("" if name == "Compare" else name)
            return visitor.problems

    assert await asyncio.gather(*map(open_page, MENU)) == [[]] * len(MENU)


def check_headers(site: Site) -> None:
    """What nginx adds: a place for whoever comes without one, and what protects visitors."""
    first = urllib.request.urlopen(site.address)
    (place,) = [cookie for cookie in first.headers.get_all("Set-Cookie") if "wlm_place" in cookie]
    assert "HttpOnly" in place and "SameSite=Lax" in place
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in first.headers["Content-Security-Policy"]
    assert "nginx/" not in first.headers["Server"]
    asked = urllib.request.Request(site.address, headers={"Cookie": place.split(";")[0]})
    again = urllib.request.urlopen(asked).headers.get_all("Set-Cookie") or []
    assert not any("wlm_place" in cookie for cookie in again)
    for path in ("/_stcore/upload_file/a/b", "/_stcore/upload_file"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(site.address + path)


def check_compression(site: Site) -> None:
    """A page's files come compressed, for browsers that say that they can unpack them."""
    page = urllib.request.urlopen(site.address).read().decode()
    (script,) = set(re.findall(r'src="\.?(/static/js/[^"]+\.js)"', page))
    (style,) = set(re.findall(r'href="\.?(/static/css/[^"]+\.css)"', page))
    for path in (script, style):
        request = urllib.request.Request(site.address + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            compressed = answer.read()
        with urllib.request.urlopen(site.servers[0] + path) as answer:
            plain = answer.read()
        assert gzip.decompress(compressed) == plain and len(compressed) < len(plain) / 2


async def check_places(site: Site) -> None:
    """Visitors with other places come to both servers, those of one place to the same one."""
    seen = set()
    for place in range(40):  # all of the first few may belong to one server
        if place >= 4 and len(seen) == 2:
            break
        found = set()
        for turn in range(2):
            name = f"{place}-{turn}"
            async with visit(site.address, cookie(name, str(place))) as visitor:
                await visitor.open("Sweep")
            short = hashlib.sha256(name.encode()).hexdigest()[:8]
            found.add(site.who_logged("page", short))
        assert len(found) == 1
        seen |= found
    assert seen == {0, 1}


def test_the_tests_run_the_configuration_that_is_shipped(tmp_path):
    shipped = CONFIG.read_text("utf-8").splitlines()
    run = adapted(tmp_path, 1, [2, 3]).splitlines()
    changed = [old.strip() for old, new in zip(shipped, run, strict=True) if old != new]
    assert changed == [
        "pid /tmp/nginx.pid;",
        "client_body_temp_path /tmp/nginx-body;",
        "proxy_temp_path /tmp/nginx-proxy;",
        "server server-a:8501 max_fails=1 fail_timeout=5s;",
        "server server-b:8501 max_fails=1 fail_timeout=5s;",
        "listen 8080;",
    ]
    compose = yaml.safe_load((CONFIG.parent / "compose.yaml").read_text("utf-8"))
    assert compose["services"]["nginx"]["volumes"] == ["./nginx.conf:/etc/nginx/nginx.conf:ro"]


def test_visitors_stay_at_their_server_and_go_on_at_the_other_when_it_is_killed(site):
    store = site.store
    outcome_of(check_first_visitors(site.servers[0]))
    check_headers(site)
    check_compression(site)
    outcome_of(check_places(site))

    async def anna() -> tuple[int, str]:
        """Begin a run that does not end by itself; tell where."""
        async with visit(site.address, cookie("anna", "1")) as visitor:
            run_id = await begin(visitor, LONG)
            assert visitor.problems == []
            await asyncio.to_thread(wait_for, lambda: store.get(run_id).result, "numbers")
            return site.who_logged("queued", run_id), run_id

    async def bert(server: str, run_id: str) -> None:
        """Follow it on the other server."""
        async with visit(server, cookie("bert", "2")) as visitor:
            await visitor.open("", f"{LONG}&run={run_id}")
            assert visitor.follows and visitor.problems == []
            assert "Stop" not in visitor.buttons

    async def anna_again(run_id: str) -> str:
        """Come back with the same cookies, see how it ended, and begin another."""
        async with visit(site.address, cookie("anna", "1")) as visitor:
            await visitor.open("", f"{LONG}&run={run_id}")
            assert any("The server stopped" in word for word in visitor.words)
            assert visitor.problems == []
        async with visit(site.address, cookie("anna", "1")) as visitor:
            another = await begin(visitor, SHORT)
            assert visitor.problems == []
            return another

    first, run_id = outcome_of(anna())
    outcome_of(bert(site.servers[1 - first], run_id))
    site.kill(first)
    run = ended(store, run_id)
    assert run.state == State.INTERRUPTED and run.result["results"]
    another = outcome_of(anna_again(run_id))
    assert site.who_logged("queued", another) == 1 - first
    assert ended(store, another).state == State.DONE
    # Whoever did the first one has seen that it is over, and writes no more.
    assert store.get(run_id) == run
