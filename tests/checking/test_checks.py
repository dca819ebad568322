"""Each check finds its problem, and tells how to solve it."""

import socket
from collections import namedtuple
from pathlib import Path

import pytest

from wlm.checking import (
    catalog,
    engines,
    machine,
    network,
    runs,
    server,
    strangers,
)
from wlm.checking.check import check
from wlm.checking.finding import Finding, found_by
from wlm.errors import VariantError
from wlm.hosting import settings
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.variant import OFFERED, Variant
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore


def crosses(findings) -> list[Finding]:
    return [finding for finding in findings if not finding.well]


def test_what_is_installed_here_is_well():
    assert crosses(machine.look_at_packages()) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nosuchpackage>=1", "nosuchpackage is missing"),
        ("torch==1.0", "torch must be ==1.0, got "),
        ("streamlit>=99,<100", "streamlit must be <100,>=99, got "),
    ],
)
def test_a_package_that_is_missing_or_another_is_named(tmp_path, monkeypatch, line, words):
    path = tmp_path / "requirements.txt"
    path.write_text(f"# a comment\n{line}\npytest\n")
    monkeypatch.setattr(machine, "REQUIREMENTS", path)
    (cross,) = crosses(machine.look_at_packages())
    assert words in cross.found and "pip install -r requirements.txt" in cross.todo


def test_an_old_python_is_a_cross(monkeypatch):
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (99, 0))
    assert "install Python 99.0" in crosses(machine.look_at_packages())[0].todo


def test_damaged_weights_and_texts_are_crosses(model_folder, text_file, monkeypatch):
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    assert crosses(catalog.look()) == []
    (model_folder / "model.safetensors").write_bytes(b"damaged")
    text_file.write_bytes(b"\xff\xfe\x00")
    model, text = crosses(catalog.look())
    assert model.subject == "model tiny" and "damaged" in model.found
    assert text.subject == "text short"


def test_a_missing_bundled_model_is_a_cross(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "models_here", list)
    assert "missing from assets/" in crosses(catalog.look())[0].found


def test_every_engine_runs():
    found = list(engines.look())
    assert crosses(found) == []
    assert any("int8 LSTM" in finding.subject and finding.found == "runs" for finding in found)


def test_an_engine_that_does_not_run_is_a_cross(monkeypatch):
    def prepare(model, variant):
        if variant.runtime == "onnxruntime":
            raise VariantError("it is broken")
        raise RuntimeError("no kernel\nof this kind")

    monkeypatch.setattr(engines, "prepare", prepare)
    found = crosses(engines.look())
    assert {finding.found for finding in found} == {
        "fails: it is broken",
        "fails: no kernel",
    }


def test_an_engine_that_is_not_here_is_a_cross_where_the_first_screen_needs_it(monkeypatch):
    monkeypatch.setattr(engines, "why_unavailable", lambda variant: f"{variant.runtime} is missing")
    found = {finding.subject: finding for finding in engines.look()}
    assert {finding.found for finding in found.values()} == {
        "not available: pytorch is missing",
        "not available: onnxruntime is missing",
    }
    crosses = [subject for subject, finding in found.items() if not finding.well]
    assert "int8 LSTM + Linear" in crosses and "ORT int8 all" in crosses
    assert [finding.todo for finding in found.values()] == [
        "pip install -r requirements.txt"
    ] * len(found)
    assert len(found) - len(crosses) == 3  # PyTorch's other engines, and fp16


@pytest.fixture
def tiny_default(model_folder, monkeypatch) -> None:
    """The tiny model in the bundled one's place."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setattr(engines, "DEFAULT_MODEL", "tiny")


def test_warming_up_keeps_the_onnx_files_of_the_bundled_model(tiny_default, own_cache, monkeypatch):
    def kept() -> dict[Path, int]:
        return {path: path.stat().st_ino for path in own_cache.glob("onnx-*/*.onnx_*")}

    for look in ("catalog.look", "runs.look_at_store", "machine.look_at_folders"):
        monkeypatch.setattr(f"wlm.checking.{look}", lambda *_: iter(()))
    monkeypatch.setattr(network, "look", lambda _port: iter(()))
    assert not kept()
    found = list(check(quick=True, warm=True))
    labels = [Variant.parse(name).label for name in OFFERED]
    warmed = [finding.subject for finding in found if finding.found == "prepared"]
    assert warmed == [f"tiny, {label}" for label in labels]
    before = kept()
    onnx = [name for name in OFFERED if name.startswith("onnxruntime:")]
    assert len(before) == len(onnx)
    monkeypatch.setattr("wlm.quantization.onnx.export._export", None)  # nothing is exported again
    monkeypatch.setattr("wlm.quantization.onnx.export._quantized", None)
    assert crosses(engines.warm()) == [] and kept() == before


def test_warming_up_leaves_out_what_is_not_here(tiny_default, monkeypatch):
    monkeypatch.setattr(engines, "why_unavailable", lambda variant: variant.runtime != "pytorch")
    assert not any("ORT" in finding.subject for finding in engines.warm())


def test_the_store_is_written_and_left_as_it_was(own_database):
    assert crosses(runs.look_at_store()) == []
    assert RunStore(own_database).list_runs("compare") == []


def test_a_store_that_takes_no_runs_is_a_cross(monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    (cross,) = crosses(runs.look_at_store())
    assert "not kept in sqlite:////dev/null/runs.sqlite" in cross.found
    assert "WLM_DATABASE_URL" in cross.todo


class Jobs:
    """A queue whose worker ends a run so, or never."""

    def __init__(self, store: RunStore, **end):
        self.store, self.end, self.closed = store, end, False

    def submit(self, spec: CompareSpec, visitor: str) -> str:
        run = Run(spec.kind, spec.to_json(), visitor=visitor)
        self.store.create(run)
        self.store.update(run.id, **self.end)
        return run.id

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("end", "words", "left"),
    [
        ({"state": State.FAILED, "message": "It broke."}, "It broke.", 0),
        ({"stage": "Starting"}, "after 0 s its run is queued", 1),
    ],
)
def test_a_worker_that_does_not_measure_is_a_cross(monkeypatch, own_database, end, words, left):
    jobs = Jobs(RunStore(own_database), **end)
    monkeypatch.setattr(runs, "open_queue", lambda store: jobs)
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    (cross,) = crosses(runs.look_at_worker())
    assert (cross.subject, cross.found) == ("worker", words) and jobs.closed
    assert len(jobs.store.list_runs("compare")) == left


def test_folders_that_cannot_be_written_and_little_room_are_crosses(monkeypatch):
    assert crosses(machine.look_at_folders()) == []
    monkeypatch.setenv("WLM_CACHE", "/dev/null/cache")
    usage = namedtuple("usage", "total used free")(10**12, 10**12, 5 * 10**8)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    memory = namedtuple("memory", "available")(3 * 10**8)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: memory)
    cache, disk, left = crosses(machine.look_at_folders())
    assert "/dev/null/cache is not writable" in cache.found and "WLM_CACHE" in cache.todo
    assert disk.found == "0.5 GB free" and left.found == "0.3 GB free"


def test_a_port_that_others_use_is_a_cross(unused_port, monkeypatch):
    port = unused_port()
    assert crosses(network.look(port)) == []
    monkeypatch.setattr(server, "SECONDS", 0.1)
    with socket.socket() as taken:
        taken.bind(("", port))
        taken.listen()
        (cross,) = crosses(network.look(port))
        monkeypatch.setattr(network, "is_healthy", lambda _: True)
        ours, *_ = network.look(port)
    assert f"{port}: Address already in use" in cross.found and "--server.port" in cross.todo
    assert ours.well and ours.found == f"{port}: a Streamlit app already answers there"


def test_the_port_is_the_environments_or_streamlits(monkeypatch):
    monkeypatch.delenv("STREAMLIT_SERVER_PORT", raising=False)
    assert network.configured_port() == 8501
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "8600")
    assert network.configured_port() == 8600


def test_a_host_that_has_no_address_is_a_cross(monkeypatch, unused_port):
    def getaddrinfo(host, _port):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(network.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("WLM_DASK", "tcp://cluster.invalid:8786")
    (cross,) = crosses(network.look(unused_port()))
    assert "cluster.invalid was not found" in cross.found and "unset WLM_DASK" in cross.todo
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_: [])
    found = {finding.subject: finding for finding in network.look(unused_port())}
    needed = found["network, cluster"]
    assert needed.well and needed.found == "cluster.invalid was found"


def test_what_strangers_may_do_is_listed(public, monkeypatch):
    (found,) = strangers.look()
    assert found.well and "WLM_PUBLIC=1" in found.found
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "1")
    public(seconds=12)
    found = {finding.subject: finding for finding in strangers.look()}
    assert found.keys() >= {variable for variable, *_ in settings()}
    assert found["WLM_RUN_SECONDS"].found.startswith("12 (default 30): seconds that")
    assert found["WLM_ALLOW_UPLOAD"].found.startswith("off: ")
    assert crosses(found.values()) == []
    monkeypatch.delenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE")
    (cross,) = crosses(strangers.look())
    assert "up to 120 MB" in cross.found and "MAX_UPLOAD_SIZE=1" in cross.todo


def test_a_setting_that_is_none_is_a_cross(public):
    public(seconds=0)
    (cross,) = found_by("strangers", strangers.look)
    assert not cross.well and "WLM_RUN_SECONDS must be a whole number" in cross.found


def test_a_check_that_fails_itself_is_a_cross(monkeypatch):
    def broken():
        raise ValueError(Path("/internal/detail"))

    (cross,) = found_by("store", broken)
    assert "met a defect of wlm" in cross.found and "internal" not in cross.found
