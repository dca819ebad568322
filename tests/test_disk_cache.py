"""The cache of files that can be made again: found, damaged, outdated, full, not writable."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.processes import output_of
from wlm import disk_cache as cache
from wlm.disk_cache import read_cached, write_cached
from wlm.paths import cache_folder

ROOT = Path(__file__).resolve().parents[1]
KEY = "group", "1-2.0", "model.onnx"


def files() -> list[Path]:
    return sorted(path for path in cache_folder().rglob("*") if path.is_file())


def test_what_is_kept_is_read_again(own_cache):
    assert read_cached(*KEY) is None
    write_cached(*KEY, b"content")
    assert read_cached(*KEY) == b"content"
    assert [path.parent for path in files()] == [own_cache / "group"]
    for other in (("other", *KEY[1:]), ("group", "1-2.1", KEY[2]), (*KEY[:2], "other.onnx")):
        assert read_cached(*other) is None


@pytest.mark.parametrize("damage", [b"", b"conten", b"Content", b"content and more"])
def test_a_damaged_file_is_found_out_and_removed(damage):
    write_cached(*KEY, b"content")
    (path,) = files()
    path.write_bytes(damage)
    assert read_cached(*KEY) is None
    assert files() == []
    write_cached(*KEY, b"content")
    assert read_cached(*KEY) == b"content"


def test_a_write_removes_the_groups_other_versions_only():
    write_cached("group", "1-1.9", "model.onnx", b"old")
    write_cached("other", "1-1.9", "model.onnx", b"another group's")
    write_cached("group", "1-2.0", "another.onnx", b"another file")
    write_cached(*KEY, b"new")
    assert read_cached("group", "1-1.9", "model.onnx") is None
    assert read_cached("other", "1-1.9", "model.onnx") == b"another group's"
    assert read_cached("group", "1-2.0", "another.onnx") == b"another file"
    assert len(files()) == 3


def test_the_least_recently_used_files_go_when_it_is_full(monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 30)
    for i, name in enumerate("abc"):
        write_cached("group", "1", name, name.encode() * 10)
        path = next(path for path in files() if path.name.startswith(f"1_{name}_"))
        os.utime(path, (1000 + i, 1000 + i))
    assert read_cached("group", "1", "a") == b"a" * 10  # used now
    write_cached("another", "1", "d", b"d" * 10)
    found = {name: read_cached("group", "1", name) is not None for name in "abc"}
    assert found == {"a": True, "b": False, "c": True}
    assert read_cached("another", "1", "d") == b"d" * 10


def test_a_file_larger_than_the_bound_is_kept_alone(monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 5)
    write_cached("group", "1", "a", b"a")
    write_cached("group", "1", "b", b"b" * 10)
    assert read_cached("group", "1", "a") is None
    assert read_cached("group", "1", "b") == b"b" * 10


def test_a_cache_that_cannot_be_written_is_logged_and_ignored(monkeypatch, caplog):
    monkeypatch.setenv("WLM_CACHE", "/dev/null/x")
    with caplog.at_level(logging.WARNING):
        write_cached(*KEY, b"content")
    assert read_cached(*KEY) is None
    assert "model.onnx cannot be kept in the cache" in caplog.text


def test_a_write_that_fails_leaves_nothing(monkeypatch, caplog):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    write_cached(*KEY, b"content")
    assert "disk full" in caplog.text
    assert files() == []


def test_what_is_no_file_is_passed_over_and_logged(own_cache, caplog):
    (own_cache / "group" / "1-2.0_model.onnx_0").mkdir(parents=True)
    (own_cache / "group" / "1-1.9_model.onnx_0").mkdir()
    assert read_cached(*KEY) is None
    write_cached(*KEY, b"content")
    assert read_cached(*KEY) == b"content"
    assert "1-1.9_model.onnx_0 cannot be removed from the cache" in caplog.text


WRITER = """
import sys
from wlm.disk_cache import read_cached, write_cached
content = b"x" * 300_000
for i in range(100):
    write_cached("group", "1", "same", content)
    assert read_cached("group", "1", "same") in (content, None)
    write_cached("group", "1", sys.argv[1], bytes([i]) * 1000)
"""


@pytest.mark.slow
def test_two_processes_at_once_do_no_harm():
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for process in processes:
        _, errors = output_of(process)
        assert process.returncode == 0 and not errors, errors.decode()
    assert read_cached("group", "1", "same") == b"x" * 300_000
    assert {path.parent.name for path in files()} == {"group"}
