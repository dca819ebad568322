"""Strangers at a public server, who speak its protocol themselves: whatever they send it, they get
no more than a browser would."""

import asyncio
import json

import psutil
import pytest

from helpers.serving import outcome_of
from helpers.strangers import LONG, SHORT, begin, listener_of, stranger
from helpers.waiting import PATIENCE, ended, wait_for
from wlm.cli.main import main
from wlm.runs.heartbeat import SUFFIX
from wlm.runs.run import State
from wlm.runs.store import RunStore

pytestmark = pytest.mark.slow


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
            # Everyone who has the link sees the run, and only its owner may delete it.
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
    for run in runs:  # with the settings that the page offers, not the forged ones
        assert run.spec["model"] in ("tiny", "wikitext2-lstm")
        assert run.spec["text"] in ("short", "demo")
        assert run.spec["threads"] == 1 and len(run.spec["variants"]) <= 3
        store.update(run.id, stop_requested=True)
        ended(store, run.id)


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
    assert f"✓ server: {server} answers" in printed and "✓ worker: alive" in printed
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
                    # It would read its text for half a minute and more.
                    run = await asyncio.to_thread(ended, store, run_id)
                    assert run.message == "This server ends a run after 1 s of measuring"
        return said

    *before, last = outcome_of(one_after_the_other())
    assert before == ["", ""]
    assert "ll visitors of this server may start 2 runs within an hour" in last
    assert len(store.list_runs("compare")) == 2
