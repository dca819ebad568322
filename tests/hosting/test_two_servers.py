"""Two servers behind nginx, their runs in PostgreSQL and measured by a Dask cluster, all real."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from test_strangers import LONG, SHORT, begin

from benchmarks.visitor import visit
from helpers.dask_cluster import Cluster
from helpers.processes import ROOT
from helpers.serving import APP, is_healthy, outcome_of, serving
from helpers.waiting import ended, wait_for
from view.shared.page import MENU
from wlm.runs.run import State
from wlm.runs.store import RunStore

pytestmark = pytest.mark.slow

CONFIG = ROOT / "deploy" / "nginx.conf"


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
        listening = [each for each in psutil.net_connections("tcp") if each.status == "LISTEN"]
        (pid,) = {each.pid for each in listening if each.laddr.port == port}
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def nginx() -> str:
    """The program, which tests/run.py installs."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not found:
        reason = "no nginx: tests/run.py tells how it looks for one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


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
        address = stack.enter_context(proxying(nginx, tmp_path / "nginx", front, ports))
        yield Site(address, servers, folders, RunStore(url))


@contextmanager
def proxying(program: str, folder: Path, front: int, ports: list[int]) -> Iterator[str]:
    """Run nginx with the project's configuration, at other ports and in a folder of its own; the
    value is its address."""
    text = CONFIG.read_text("utf-8").replace("/tmp/", f"{folder}/")
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{front};")
    for name, port in zip(("server-a", "server-b"), ports, strict=True):
        text = text.replace(f"{name}:8501", f"127.0.0.1:{port}")
    folder.mkdir()
    as_root = "user root;\n" if os.geteuid() == 0 else ""  # only root enters a test's folder
    (folder / "nginx.conf").write_text(as_root + text, "utf-8")
    command = [program, "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"]
    address = f"http://127.0.0.1:{front}"
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: process.poll() is not None or is_healthy(address), "nginx")
        assert process.poll() is None, "nginx did not start"
        yield address
    finally:
        process.terminate()
        process.wait()


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
    (place,) = [each for each in first.headers.get_all("Set-Cookie") if "wlm_place" in each]
    assert "HttpOnly" in place and "SameSite=Lax" in place
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in first.headers["Content-Security-Policy"]
    assert "nginx/" not in first.headers["Server"]
    asked = urllib.request.Request(site.address, headers={"Cookie": place.split(";")[0]})
    again = urllib.request.urlopen(asked).headers.get_all("Set-Cookie") or []
    assert not any("wlm_place" in each for each in again)
    for path in ("/_stcore/upload_file/a/b", "/_stcore/upload_file"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(site.address + path)


async def check_places(site: Site) -> None:
    """Visitors with other places come to both servers, those of one place to the same one."""
    seen = set()
    for place in range(8):
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


def test_visitors_stay_at_their_server_and_go_on_at_the_other_when_it_is_killed(site):
    store = site.store
    outcome_of(check_first_visitors(site.servers[0]))
    check_headers(site)
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
            assert any("The server stopped" in each for each in visitor.words)
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
