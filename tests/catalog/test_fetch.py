"""Fetching from a real server on loopback that fails in every way it can."""

import hashlib
import io
import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
import torch

from helpers.mirror import FILES, Mirror
from helpers.processes import output_of, start_wlm
from helpers.tiny import LINE
from helpers.waiting import PATIENCE, wait_for
from wlm.catalog import inventory, tutorial_weights, wikitext2
from wlm.catalog.fetch import BackgroundFetch, fetch, is_here
from wlm.catalog.inventory import models_here, texts_here
from wlm.catalog.registry import DEFAULT_MODEL, find_model, find_text, list_models, list_texts
from wlm.catalog.tutorial_weights import TUTORIAL_WEIGHTS, WEIGHTS_FILE
from wlm.catalog.wikitext2 import ARCHIVE, WIKITEXT2, WIKITEXT2_FILES, PublishedFile, verify
from wlm.cli.main import main
from wlm.errors import FetchError, defect
from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.text.corpus import Corpus
from wlm.weights.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def weights(mirror, monkeypatch, tmp_path) -> LSTMModel:
    """A model that fits the corpus, served as the tutorial's."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    sizes = (len(Corpus.from_folder(folder).vocabulary), 8, 6, 2)
    monkeypatch.setattr(tutorial_weights, "CONFIG", ModelConfig(*sizes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = LSTMModel(*sizes)
    mirror.files[WEIGHTS_FILE] = saved(model.state_dict())
    return model


def saved(content) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


SILENCE = {"stalls": {"timeout_s": 1.0}}  # by fault: how long a server may say nothing


def refused(what: str, data: Path, **options) -> str:
    """The message with which a fetch fails; nothing of it may be left."""
    before = sorted(data.rglob("*"))
    with pytest.raises(FetchError) as caught:
        fetch(what, **{"timeout_s": PATIENCE, **options})
    assert sorted(data.rglob("*")) == before
    assert data.exists() == bool(before)
    message = str(caught.value)
    assert message.startswith(f"fetching {what} failed: ")
    assert "Try again, or give another source" in message and "WLM_MIRROR" in message
    return message


def test_wikitext2_is_fetched_verified_and_listed(mirror, own_data):
    seen = []
    assert not is_here(WIKITEXT2)
    folder = fetch(WIKITEXT2, report=seen.append)
    assert folder == own_data / "texts" / "wikitext-2"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert list_texts()["wikitext-2"] == folder / "test.txt"
    assert find_text("wikitext-2") == ("wikitext-2", folder / "test.txt")
    assert is_here(WIKITEXT2)
    assert [path.name for path in own_data.iterdir()] == ["texts"]
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert seen[0].done == 0.0 and seen[-1].done == 1.0
    assert seen[-1].stage == "Fetching wikitext-2, 0.3 of 0.3 MB"


def test_what_is_here_is_not_fetched_again_unless_it_is_damaged(mirror):
    folder = fetch(WIKITEXT2)
    asked = len(mirror.asked)
    fetch(WIKITEXT2)
    assert len(mirror.asked) == asked
    (folder / "valid.txt").write_bytes(b"x" * len(FILES["valid.txt"]))
    assert not is_here(WIKITEXT2)
    fetch(WIKITEXT2)
    assert (folder / "valid.txt").read_bytes() == FILES["valid.txt"]


def test_a_failed_fetch_keeps_what_was_there(mirror, own_data):
    folder = fetch(WIKITEXT2)
    (folder / "valid.txt").write_bytes(b"damaged")
    mirror.files.clear()
    refused(WIKITEXT2, own_data)
    assert (folder / "valid.txt").read_bytes() == b"damaged"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("dies half-way", "the connection broke after about"),
        ("claims too much", "the connection broke after about"),
        ("claims too little", "train.txt must have"),
        ("claims nonsense", ""),
        ("stalls", "the server sent nothing for 1 s"),
        ("never ends", "train.txt must have at most"),
        ("redirects without end", "the server redirects without end"),
    ],
)
@pytest.mark.parametrize("name", FILES)
def test_a_server_that_fails_leaves_nothing_behind(mirror, own_data, fault, words, name):
    mirror.faults[name] = fault
    message = refused(WIKITEXT2, own_data, **SILENCE.get(fault, {}))
    assert words.replace("train.txt", name) in message
    assert f"{mirror.url}/{name}" in message or f"{name} must have" in message


def test_a_redirect_is_followed(mirror):
    mirror.faults = dict.fromkeys(FILES, "redirects")
    folder = fetch(WIKITEXT2)
    assert (folder / "train.txt").read_bytes() == FILES["train.txt"]
    assert "/moved/train.txt" in mirror.asked


def test_a_busy_server_is_asked_again(mirror):
    mirror.faults["valid.txt"] = "is busy twice"
    fetch(WIKITEXT2)
    assert mirror.asked.count("/valid.txt") == 3 and is_here(WIKITEXT2)


def test_a_missing_file_is_asked_for_once(mirror, own_data):
    del mirror.files["train.txt"]
    refused(WIKITEXT2, own_data)
    assert mirror.asked == ["/train.txt", f"/{ARCHIVE}"]


def test_a_file_that_is_not_there_is_said_with_the_servers_answer(mirror, own_data):
    del mirror.files["valid.txt"]
    message = refused(WIKITEXT2, own_data)
    assert f"{mirror.url}/valid.txt: the server answered 404 Not Found" in message
    assert f"nor from {ARCHIVE}: {mirror.url}/{ARCHIVE}: the server answered 404" in message


def test_a_server_that_is_not_there(own_data, unused_port):
    source = f"http://user:secret@127.0.0.1:{unused_port()}"
    message = refused(WIKITEXT2, own_data, source=source)
    assert "no connection to the server" in message
    assert "secret" not in message


@pytest.mark.parametrize("name", FILES)
def test_other_content_of_the_same_length_is_refused(mirror, own_data, name):
    mirror.files[name] = mirror.files[name].replace(b"river", b"rover").replace(b"idge", b"idle")
    message = refused(WIKITEXT2, own_data)
    assert f"{name} is not the published file: its git blob id must be" in message


@pytest.mark.parametrize("prefix", ["", "wikitext-2/"])
def test_the_archive_is_the_fallback(mirror, prefix):
    members = {f"{prefix}{name}": content for name, content in FILES.items()}
    mirror.files = {ARCHIVE: zipped({"README.txt": b"x", "../../evil.txt": b"x", **members})}
    folder = fetch(WIKITEXT2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"no archive", "damaged or no zip archive"),
        (zipped(FILES)[:-30], "damaged or no zip archive"),
        (zipped({"train.txt": FILES["train.txt"]}), "must hold valid.txt once, got 0 of it"),
        (
            zipped({f"../{name}": content for name, content in FILES.items()}),
            "must hold train.txt once",
        ),
        (zipped({**FILES, "wikitext-2/test.txt": b"x"}), "must hold test.txt once, got 2 of it"),
        (zipped({**FILES, "train.txt": b"\0" * 50_000_000}), "train.txt must have at most"),
        (zipped({**FILES, "test.txt": b"x"}), "test.txt must have 99 bytes, got 1"),
    ],
)
def test_a_bad_archive_is_refused(mirror, own_data, tmp_path, archive, words):
    mirror.files = {ARCHIVE: archive}
    assert words in refused(WIKITEXT2, own_data)
    assert not list(tmp_path.rglob("evil*")) and not (own_data.parent / "train.txt").exists()


def test_an_archive_that_is_too_large_is_not_read_to_its_end(mirror, own_data, monkeypatch):
    monkeypatch.setattr(wikitext2, "MOST_ARCHIVE", 1_000)
    mirror.files, mirror.faults = {ARCHIVE: b"x" * 10_000}, {ARCHIVE: "never ends"}
    assert f"{ARCHIVE} must have at most 1,000 bytes" in refused(WIKITEXT2, own_data)


def test_a_folder_counts_as_a_source(mirror, tmp_path, own_data):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    assert (fetch(WIKITEXT2, str(folder), to=tmp_path / "to") / "test.txt").is_file()
    assert mirror.asked == [] and not own_data.exists()
    (folder / "test.txt").unlink()
    assert f"{str(folder / 'test.txt')!r}: No such file" in refused(
        WIKITEXT2, own_data, source=str(folder)
    )


@pytest.mark.parametrize("source", ["ftp://x/y", "/no/such/folder", "http://", "http://[", "\0"])
def test_a_source_that_is_none_is_refused(own_data, source):
    message = refused(WIKITEXT2, own_data, source=source)
    assert "the source must be an http(s) URL or a folder, got" in message


def test_an_unknown_thing_to_fetch_is_refused():
    with pytest.raises(FetchError, match="must be one of wikitext-2, tutorial-weights, got 'x'"):
        fetch("x")


def test_a_data_folder_that_cannot_be_written_is_said(mirror, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(FetchError, match="cannot be written: Not a directory"):
        fetch(WIKITEXT2, to=tmp_path / "file" / "data")


def test_whoever_watches_may_stop_it(mirror, own_data):
    def stop(progress):
        if progress.done > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(WIKITEXT2, report=stop)
    assert not own_data.exists()


def test_what_a_killed_process_left_is_removed_by_the_next(mirror, own_data):
    old, new = own_data / ".fetching-old", own_data / ".fetching-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "train.txt").write_bytes(b"half")
    for path in (old / "train.txt", old):
        os.utime(path, (time.time() - 10_000,) * 2)
    fetch(WIKITEXT2)
    assert not old.exists() and new.exists()
    assert list(list_texts()).count("wikitext-2") == 1


def test_the_weights_become_a_model_with_the_tutorials_vocabulary(mirror, weights, own_data):
    folder = fetch(TUTORIAL_WEIGHTS)
    assert folder == own_data / "models" / "tutorial-weights" == find_model("tutorial-weights")
    checkpoint = load_checkpoint(folder)
    for key, value in weights.state_dict().items():
        assert torch.equal(checkpoint.model.state_dict()[key], value)
    first = FILES["train.txt"].decode().split()
    assert checkpoint.vocabulary.words[: len(set(LINE.split()))] == list(dict.fromkeys(first))
    card = checkpoint.card
    assert card["stored_dtype"] == "float32"
    assert card["origin"].endswith(f" from {mirror.url}, {WEIGHTS_FILE}")
    assert card["origin_sha256"] == hashlib.sha256(mirror.files[WEIGHTS_FILE]).hexdigest()
    assert card["test_loss"]["fp32"] == 5.167
    assert sorted(path.name for path in own_data.iterdir()) == ["fetched.json", "models", "texts"]
    assert is_here(TUTORIAL_WEIGHTS) and "wikitext-2" in list_texts()
    assert "tutorial-weights" in list_models()


def state(model: LSTMModel, **changed) -> dict:
    return {**model.state_dict(), **changed}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda model: {k: v for k, v in state(model).items() if "bias" not in k}, "no biases in"),
        (lambda model: state(model, more=torch.zeros(3)), "they have unknown 'more'"),
        (
            lambda model: state(model, **{"decoder.bias": torch.zeros(3)}),
            "decoder.bias in 'word_language_model_quantize.pth' must have the shape",
        ),
        (lambda model: model, "must be a plain state_dict, got one from a whole module"),
        (lambda model: {k: v.double() for k, v in state(model).items()}, "float64"),
        (
            lambda model: state(model, **{"decoder.bias": model.decoder.bias.half()}),
            "decoder.bias must be torch.float32, got torch.float16",
        ),
        (lambda model: {k: v.half() for k, v in state(model).items()}, "encoder.weight must be"),
        (lambda model: state(model, **{"decoder.bias": model.decoder.bias * torch.nan}), "finite"),
        (lambda model: LSTMModel(15, 9, 6, 2).state_dict(), "model must be ModelConfig(ntoken="),
    ],
)
def test_other_weights_are_refused(mirror, weights, own_data, bad, words):
    fetch(WIKITEXT2)
    mirror.files[WEIGHTS_FILE] = saved(bad(weights))
    assert words in refused(TUTORIAL_WEIGHTS, own_data)
    assert "tutorial-weights" not in list_models()


def test_a_file_too_short_for_the_weights_is_refused(mirror, weights, own_data):
    fetch(WIKITEXT2)
    mirror.files[WEIGHTS_FILE] = b"<html>"
    message = refused(TUTORIAL_WEIGHTS, own_data)
    assert f"{WEIGHTS_FILE} must have at least" in message and "got 6" in message


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("dies half-way", "the connection broke"),
        ("stalls", "the server sent nothing for 1 s"),
        ("never ends", "must have at most"),
    ],
)
def test_a_server_that_fails_leaves_no_weights(mirror, weights, own_data, fault, words):
    fetch(WIKITEXT2)
    mirror.faults[WEIGHTS_FILE] = fault
    assert words in refused(TUTORIAL_WEIGHTS, own_data, **SILENCE.get(fault, {}))


def test_weights_that_have_changed_since_the_first_fetch_are_refused(mirror, weights, own_data):
    folder = fetch(TUTORIAL_WEIGHTS)
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert not is_here(TUTORIAL_WEIGHTS)
    first = mirror.files[WEIGHTS_FILE]
    with torch.no_grad():
        weights.decoder.bias += 1
    mirror.files[WEIGHTS_FILE] = saved(weights.state_dict())
    message = refused(TUTORIAL_WEIGHTS, own_data)
    assert "as it was on 20" in message and "only if you trust the new file, remove" in message
    mirror.files[WEIGHTS_FILE] = first
    fetch(TUTORIAL_WEIGHTS)
    assert is_here(TUTORIAL_WEIGHTS)


@pytest.mark.parametrize("record", ["", "[]", "{", f'{{"{WEIGHTS_FILE}": 3}}'])
def test_a_damaged_record_is_said(mirror, weights, own_data, record):
    fetch(WIKITEXT2)
    (own_data / "fetched.json").write_text(record, "utf-8")
    assert "remove it to trust the next" in refused(TUTORIAL_WEIGHTS, own_data)


def test_the_published_files_are_those_of_wikitext2(wikitext2):
    for file in WIKITEXT2_FILES[1:]:
        verify(wikitext2 / file.name, file)


def test_wikitext2_with_its_articles_in_another_order_is_refused(wikitext2, own_data):
    if (train := wikitext2 / "train.txt").stat().st_size != WIKITEXT2_FILES[0].size:
        pytest.fail(f"{train} has another size than the published file")
    message = refused(WIKITEXT2, own_data, source=str(wikitext2))
    assert "train.txt is not the published file: its git blob id must be 2d84b35af79e" in message


def test_the_command_says_where_and_prints_json(mirror, own_data, capsys):
    assert main(["fetch", "wikitext-2", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == {
        "what": "wikitext-2",
        "folder": str(own_data / "texts" / "wikitext-2"),
        "files": {name: len(FILES[name]) for name in sorted(FILES)},
    }
    documented = (ROOT / "docs" / "json.md").read_text("utf-8").split("## fetch")[1]
    assert all(f"`{key}`" in documented for key in content)
    assert main(["fetch", "wikitext-2"]) == 0
    assert capsys.readouterr().out.startswith("wikitext-2: ")


def test_the_command_fails_with_a_sentence(mirror, own_data, capsys):
    mirror.files.clear()
    assert main(["fetch", "wikitext-2", "--to", str(own_data)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("wlm: error: fetching wikitext-2 failed: ") and "404" in error


@pytest.mark.slow
def test_ctrl_c_ends_a_fetch_and_leaves_nothing(tmp_path):
    data = tmp_path / "to"
    with Mirror() as mirror:
        mirror.files = {"train.txt": b"x" * 1_000_000}
        mirror.faults = {"train.txt": "stalls"}
        command = ["fetch", "wikitext-2", "--from", mirror.url, "--to", str(data)]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        process = start_wlm(*command, env=environment, stderr=subprocess.PIPE)
        wait_for(lambda: list(data.rglob("train.txt")), "the first file")
        process.send_signal(signal.SIGINT)
        assert "stopped" in output_of(process)[1]
    assert process.returncode == 130
    assert not data.exists()


def test_one_fetch_at_a_time_in_the_background(mirror, own_data):
    mirror.faults["valid.txt"] = "stalls"
    background = BackgroundFetch()
    background.start(WIKITEXT2)
    with pytest.raises(FetchError, match="one fetch at a time: wikitext-2 is under way"):
        background.start(TUTORIAL_WEIGHTS)
    background.stop()
    assert background.stopping
    mirror.go_on.set()
    wait_for(lambda: not background.running, "the end of the fetch")
    assert background.error == "fetching wikitext-2 was stopped: nothing of it is kept"
    assert not own_data.exists()
    background.start(WIKITEXT2)
    wait_for(lambda: not background.running, "the end of the fetch")
    assert background.error == "" and is_here(WIKITEXT2)


def test_a_defect_ends_a_fetch_in_the_background_with_words(monkeypatch, caplog):
    def broken(what, report) -> None:
        raise RuntimeError("internal detail")

    monkeypatch.setattr("wlm.catalog.fetch.fetch", broken)
    background = BackgroundFetch()
    background.start(WIKITEXT2)
    wait_for(lambda: not background.running, "the end of the fetch")
    assert background.error == defect("fetching") and background.ended == 1
    assert "internal detail" in caplog.text


def test_a_file_of_the_published_git_blob_and_another_sha256_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n")
    # `printf 'a\n' | git hash-object --stdin` and `| sha256sum`
    blob = "78981922613b2afb6025042ff6bd878ac1994e85"
    sha256 = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
    verify(path, PublishedFile("a.txt", 2, blob, sha256))
    other = PublishedFile("a.txt", 2, blob, "0" * 64)
    with pytest.raises(FetchError, match=r"must be 000000000000…, got 87428fc52280…"):
        verify(path, other)


def test_the_inventory_says_where_from_and_what_is_wrong(mirror, weights):
    folder = fetch(TUTORIAL_WEIGHTS)
    bundled, fetched = models_here()
    assert bundled.origin == "bundled" and bundled.loss == 4.7227 and "WikiText-2" in bundled.source
    assert fetched.origin.endswith(WEIGHTS_FILE) and fetched.loss == 5.167
    assert fetched.size_bytes == (folder / "model.safetensors").stat().st_size
    demo, wikitext2 = texts_here()
    assert "MIT" in demo.licence and "CC BY-SA 3.0" in wikitext2.licence
    assert wikitext2.sha256 == hashlib.sha256(FILES["test.txt"]).hexdigest()
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert "damaged" in models_here()[1].problem


def test_the_inventory_says_what_cannot_be_read_and_claims_no_licence_for_it(own_data):
    (own_data / "texts").mkdir(parents=True)
    (own_data / "texts" / "gone.txt").symlink_to("nowhere")
    (own_data / "texts" / "mine.txt").write_text(LINE, "utf-8")
    _, gone, mine = texts_here()
    assert gone.problem == "the text 'gone' cannot be read: No such file or directory"
    assert (mine.name, mine.licence, mine.problem) == ("mine", "", "")


def test_a_model_that_goes_while_it_is_looked_at_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(inventory, "weights_path", lambda path, card: tmp_path / "gone")
    problem = f"the model {DEFAULT_MODEL!r} cannot be read: No such file or directory"
    assert [model.problem for model in models_here()] == [problem]
