"""Uploads: refusals and their messages, owners, and expiry."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from helpers.driver import ROOT, open_page, press
from helpers.tiny import LINE, WORDS
from view.runs.one_run import why_not_here
from view.shared import visitor
from wlm import files
from wlm.catalog.registry import find_model, find_text, list_models, list_texts
from wlm.errors import CheckpointError, TextError, UploadError, WLMError
from wlm.exporting.export import export
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.evaluate import evaluate
from wlm.measuring.sweep import SweepSpec
from wlm.paths import uploads_folder
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import Variant
from wlm.runs.execute import execute
from wlm.runs.run import Run, State
from wlm.text.corpus import batchify
from wlm.text.splits import SPLITS
from wlm.uploads import checks, store
from wlm.uploads.checks import add_model, add_text, label_of
from wlm.uploads.store import remove, uploads_of
from wlm.weights import limited
from wlm.weights.checkpoint import Checkpoint, load_checkpoint

ANNA, BERT = "a" * 32, "b" * 32
MODELS = ROOT / "pages/6_Models.py"


class Sent(io.BytesIO):
    """A file as Streamlit hands it over."""

    def __init__(self, name: str, content: bytes):
        super().__init__(content)
        self.name, self.size = name, len(content)


def vocabulary_file(words=WORDS) -> Sent:
    return Sent("words.txt", "".join(f"{word}\n" for word in words).encode())


def saved(state_dict, **options) -> bytes:
    file = io.BytesIO()
    torch.save(state_dict, file, **options)
    return file.getvalue()


@pytest.fixture
def weights(model) -> Sent:
    return Sent("mine.safetensors", save(model.state_dict()))


def test_weights_and_vocabulary_become_a_model_of_the_same_numbers(model, weights):
    upload = add_model(ANNA, weights, [vocabulary_file()])
    assert (upload.kind, upload.label) == ("model", "mine.safetensors")
    assert "20 words, 2 LSTM layers of 6" in upload.facts
    loaded = load_checkpoint(find_model(upload.name))
    assert loaded.vocabulary.words == WORDS
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[key], value)
    assert uploads_of(ANNA) == [upload]
    assert [path.name for path in uploads_folder().iterdir()] == [upload.name]


def test_a_pth_and_a_corpus_will_do_too(model):
    corpus = [Sent("test.txt", b"the town\n"), Sent("valid.txt", b"a\n")]
    words = [word for word in WORDS if word not in ("the", "town", "a", "<eos>")]
    corpus.append(Sent("train.txt", " ".join(words).encode()))
    upload = add_model(ANNA, Sent("m.pth", saved(model.state_dict())), corpus)
    loaded = load_checkpoint(find_model(upload.name))
    assert loaded.vocabulary.words == [*words, "<eos>", "a", "the", "town"]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_whole_module_and_a_json_vocabulary_will_do_and_it_is_said_how_they_were_read(
    model, zipped
):
    content = saved([model, {"epoch": 3}], _use_new_zipfile_serialization=zipped)
    words = Sent("words.json", json.dumps({word: i for i, word in enumerate(WORDS)}).encode())
    upload = add_model(ANNA, Sent("model.pt", content), [words])
    said = "from a whole module, wlm.model.lstm.LSTMModel under '0'"
    assert f"weights read: {said}" in upload.facts
    loaded = load_checkpoint(find_model(upload.name))
    assert loaded.weights_read == loaded.card["weights_read"] == said
    assert loaded.vocabulary.words == WORDS
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[key], value)


def test_a_published_corpus_will_do_and_a_missing_eos_is_said(weights):
    words = " ".join(word for word in WORDS if word != "<eos>")
    files = [Sent(f"wiki.{split}.tokens", f"{words}\n".encode()) for split in SPLITS]
    upload = add_model(ANNA, weights, files)
    assert "<eos>" not in upload.facts
    upload = add_model(ANNA, weights, [vocabulary_file([*WORDS[1:], "lake"])])
    assert "The vocabulary has no `<eos>`: each line end is read as `<unk>`" in upload.facts


@pytest.mark.slow
def test_another_process_reads_an_upload_within_limits(
    weights, model, monkeypatch, separate_processes
):
    upload = add_model(ANNA, weights, [vocabulary_file()])
    loaded = load_checkpoint(find_model(upload.name)).model.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())
    with pytest.raises(TextError, match="'the' stands twice"):
        add_model(ANNA, weights, [vocabulary_file([*WORDS[:-1], "the"])])
    monkeypatch.setattr(limited, "limits", lambda _: (1_000_000_000, 0.001))
    with pytest.raises(CheckpointError, match=r"'mine\.safetensors' must be readable") as said:
        add_model(ANNA, weights, [vocabulary_file()])
    assert str(uploads_folder()) not in str(said.value)
    assert uploads_of(ANNA) == [upload]


def test_a_text_is_read_under_its_name_here():
    upload = add_text(ANNA, Sent("story.txt", LINE.encode() * 3))
    assert (upload.kind, upload.facts) == (
        "text",
        "45 words, 0.0% of them unknown to wikitext2-lstm",
    )
    name, path = find_text(upload.name)
    assert name == upload.name and path.read_text("utf-8") == LINE * 3


class Evil:
    def __reduce__(self):
        return Path.write_text, (Path("opened"), "opened")


def compressed(content: bytes) -> bytes:
    """The same archive, its entries compressed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("m.exe", lambda s: save(s), "'m.exe' must be of the kind .safetensors, .pth, .pt"),
        ("m-00001-of-00002.bin", saved, "'m-00001-of-00002.bin' are one part of several files"),
        ("pytorch_model.bin.index.json", save, "are the index of a model in several files: put"),
        ("m.pth", lambda s: pickle.dumps(Evil()), "'m.pth' are a pickle"),
        (
            "m.pth",
            lambda s: saved({**s, "decoder.bias": Evil()}),
            "'decoder.bias' in 'm.pth' must be a plain tensor, got __builtin__.getattr",
        ),
        (
            "m.pth",
            lambda s: saved(Evil(), _use_new_zipfile_serialization=False),
            "'m.pth' must be a state_dict or hold one",
        ),
        ("m.pth", lambda s: compressed(saved(s)), "compressed entries"),
        ("m.pth", lambda s: saved(s)[:-300], "'m.pth'"),
        ("m.safetensors", lambda s: save(s)[:-1], "'m.safetensors' are damaged"),
        ("m.safetensors", lambda s: b"", "'m.safetensors' are damaged"),
        (
            "m.safetensors",
            lambda s: save({k: v for k, v in s.items() if k != "rnn.bias_hh_l1"}),
            "they miss 'rnn.bias_hh_l1'",
        ),
        (
            "m.safetensors",
            lambda s: save({**s, "decoder.bias": torch.zeros(19)}),
            r"decoder.bias in 'm.safetensors' must have the shape \(20,\), got \(19,\)",
        ),
        (
            "m.safetensors",
            lambda s: save({**s, "decoder.bias": torch.zeros(20, dtype=torch.int64)}),
            "decoder.bias .* must be one of float16, .*, got int64",
        ),
        (
            "m.safetensors",
            lambda s: save({**s, "decoder.bias": torch.full((20,), torch.nan)}),
            "must be finite",
        ),
    ],
)
def test_weights_are_refused_by_their_own_name_and_nothing_stays(
    model, tmp_path, monkeypatch, name, make, words
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WLMError, match=words) as refused:
        add_model(ANNA, Sent(name, make(model.state_dict())), [vocabulary_file()])
    assert str(uploads_folder()) not in str(refused.value)
    assert not uploads_of(ANNA) and not list(uploads_folder().glob("*"))
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_call_beside_the_weights_is_left_out_and_does_nothing(
    model, tmp_path, monkeypatch, zipped
):
    monkeypatch.chdir(tmp_path)
    content = saved({**model.state_dict(), "x": Evil()}, _use_new_zipfile_serialization=zipped)
    upload = add_model(ANNA, Sent("m.pth", content), [vocabulary_file()])
    loaded = load_checkpoint(find_model(upload.name)).model.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ([], UploadError, "one file, or the corpus train.txt, valid.txt, test.txt, got none"),
        ([Sent("a.txt", b"a"), Sent("b.txt", b"b")], UploadError, "got a.txt, b.txt"),
        ([Sent("w.pdf", b"[]")], UploadError, "'w.pdf' must be of the kind .txt, .json, .tok"),
        ([Sent("w.json", b"[]")], TextError, "'w.json' must be a list of words"),
        ([vocabulary_file(WORDS[:-1])], CheckpointError, "as many words as the model, 20, got 19"),
        ([vocabulary_file([*WORDS[:-1], "the"])], TextError, "'the' stands twice"),
        ([Sent("w.txt", b"\xff\n")], TextError, "'w.txt' must be UTF-8, but byte 0 is 0xff"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(weights, files, error, words):
    with pytest.raises(error, match=words):
        add_model(ANNA, weights, files)
    assert not uploads_of(ANNA)


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("t.pdf", b"x", UploadError, "'t.pdf' must be of the kind .txt"),
        ("t.txt", b" \n", TextError, "'t.txt' is empty"),
        ("t.txt", b"a \xe9", TextError, "byte 2 is 0xe9"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(name, content, error, words):
    with pytest.raises(error, match=words):
        add_text(ANNA, Sent(name, content))
    assert not uploads_of(ANNA)


def test_sizes_are_refused_before_the_file_is_read(weights, monkeypatch):
    class Unread(Sent):
        def read(self, *_):
            raise AssertionError("it was read")

    large = Unread("t.txt", b"")
    large.size = 2 * 1024**2 + 1
    with pytest.raises(UploadError, match=r"'t.txt' must be of at most 2 MB, got 2\.0"):
        add_text(ANNA, large)
    monkeypatch.setattr(checks, "MOST_WEIGHTS", 100)
    with pytest.raises(CheckpointError, match=r"'mine.safetensors' must have at most 100 weights"):
        add_model(ANNA, weights, [vocabulary_file()])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\x00b<script>.txt", "a_b_script_.txt"),
        ("[x](javascript:y).txt", "_x_(javascript_y).txt"),
        ("über uns.txt", "über uns.txt"),
        ("n" * 300 + ".txt", "n" * 56 + ".txt"),
    ],
)
def test_a_hostile_file_name_is_only_ever_a_label(name, label):
    upload = add_text(ANNA, Sent(name, b"the river\n"))
    assert upload.label == label_of(Sent(name, b"")) == label
    assert [path.name for path in uploads_folder().iterdir()] == [upload.name]


def test_others_neither_see_nor_remove_an_upload(weights):
    upload = add_model(ANNA, weights, [vocabulary_file()])
    assert not uploads_of(BERT)
    with pytest.raises(UploadError, match="you have no upload"):
        remove(BERT, upload.name)
    assert uploads_of(ANNA) == [upload]
    assert upload.name not in [*list_models(), *list_texts()]
    with pytest.raises(UploadError, match=r"no upload '\.\./models'"):
        remove(ANNA, "../models")


def test_what_was_removed_or_is_over_is_gone_and_said_so(weights, monkeypatch):
    model = add_model(ANNA, weights, [vocabulary_file()])
    text = add_text(ANNA, Sent("t.txt", b"the river\n"))
    remove(ANNA, model.name)
    assert uploads_of(ANNA) == [text]
    with pytest.raises(CheckpointError, match=f"{model.name}.* was removed"):
        find_model(model.name)
    now = text.created_at + 24 * 3600 + 1
    monkeypatch.setattr(store.time, "time", lambda: now)
    assert not uploads_of(ANNA) and list(uploads_folder().iterdir())  # only the caretaker removes
    store.remove_old()
    assert not list(uploads_folder().iterdir())
    with pytest.raises(TextError, match=f"{text.name}.* the day that it is kept is over"):
        find_text(text.name)


@pytest.mark.slow
def test_a_visitor_and_the_server_keep_only_so_many(monkeypatch):
    for _ in range(4):
        add_text(ANNA, Sent("t.txt", b"the river\n"))
    with pytest.raises(UploadError, match="each visitor may keep 4 uploads: remove one"):
        add_text(ANNA, Sent("t.txt", b"the river\n"))
    monkeypatch.setattr(store, "MOST_OF_ALL", 5)
    add_text(BERT, Sent("t.txt", b"the river\n"))
    with pytest.raises(UploadError, match="keeps at most 5 uploads and 1,000 MB"):
        add_text(BERT, Sent("t.txt", b"the river\n"))
    monkeypatch.setattr(store, "MOST_OF_ALL", 200)
    monkeypatch.setattr(store, "MEGABYTE", 0.05)
    with pytest.raises(UploadError, match="is full: try again later"):
        add_text(BERT, Sent("t.txt", b"the river\n"))


def test_a_damaged_record_is_nobodys(weights):
    upload = add_model(ANNA, weights, [vocabulary_file()])
    (uploads_folder() / upload.name / "upload.json").write_text("[]", "utf-8")
    assert not uploads_of(ANNA)
    store.remove_old()
    assert not list(uploads_folder().iterdir())


def test_a_clock_that_was_set_ahead_removes_no_upload(monkeypatch):
    upload = add_text(ANNA, Sent("t.txt", b"the river\n"))
    with monkeypatch.context() as patch:
        patch.setattr(store.time, "time", lambda: upload.created_at + 40 * 86_400)
        assert not uploads_of(ANNA)
        add_text(BERT, Sent("t.txt", b"the river\n"))
    assert uploads_of(ANNA) == [upload]


def test_what_a_killed_check_left_counts_and_is_removed(monkeypatch):
    uploads_folder().mkdir(parents=True)
    left = uploads_folder() / f"{store.CHECKING}abc" / "kept"
    left.mkdir(parents=True)
    (left / "weights.bin").write_bytes(bytes(1_000))
    monkeypatch.setattr(store, "MEGABYTE", 1.0)  # so that 1,000 bytes are all there may be
    with pytest.raises(UploadError, match="is full: try again later"), store.reserve(ANNA, 1):
        pass
    store.remove_old()
    assert left.exists()  # its check may be under way
    long_ago = store.time.time() - files.ABANDONED_S - 1.0
    for path in (left / "weights.bin", left, left.parent):
        os.utime(path, (long_ago, long_ago))
    store.remove_old()
    assert not left.parent.exists()
    with store.reserve(ANNA, 1):
        pass


def test_an_upload_that_is_being_removed_is_nobodys_and_left_alone(weights):
    upload = add_model(ANNA, weights, [vocabulary_file()])
    (uploads_folder() / upload.name / "upload.json").unlink()
    assert not uploads_of(ANNA)
    assert (uploads_folder() / upload.name / "model.safetensors").exists()


def test_a_full_disk_is_said_in_words_and_leaves_nothing(weights, own_data):
    own_data.mkdir(exist_ok=True)
    (own_data / "uploads").write_text("a file in the folder's place", "utf-8")
    with pytest.raises(UploadError, match="the upload cannot be kept: "):
        add_model(ANNA, weights, [vocabulary_file()])


# On the pages.


@pytest.fixture
def as_anna(queue, monkeypatch) -> None:
    monkeypatch.setattr(visitor, "name", lambda: ANNA)


def send(page: AppTest, kind: str, *files: Sent) -> None:
    """Choose files in a form, which sends them when its button is pressed."""
    uploader = next(widget for widget in page.file_uploader if widget.key.startswith(f"{kind}-"))
    content = [(file.name, file.getvalue(), "application/octet-stream") for file in files]
    uploader.set_value(content if kind == "words" else content[0])


def words_of(page: AppTest) -> str:
    return " ".join(text.value for text in [*page.markdown, *page.caption])


def test_a_model_is_brought_chosen_and_removed(as_anna, weights):
    page = open_page(MODELS)
    send(page, "weights", weights)
    send(page, "words", vocabulary_file())
    press(page, "Upload model")
    assert not page.exception and not page.error
    (upload,) = uploads_of(ANNA)
    assert "mine\\.safetensors" in words_of(page)
    compare = open_page(model=upload.name)
    assert compare.selectbox(key="model").value == upload.name
    assert not compare.exception and not compare.error
    press(page, "Delete for good")
    assert not page.exception and not uploads_of(ANNA)
    assert upload.name not in words_of(page)


def test_a_refusal_is_said_and_the_files_stay_chosen(as_anna, weights):
    page = open_page(MODELS)
    press(page, "Upload text")
    assert "No file is chosen" in page.error[0].value
    send(page, "weights", weights)
    press(page, "Upload model")
    assert "The vocabulary must be one file" in page.error[0].value
    send(page, "words", vocabulary_file())
    press(page, "Upload model")
    assert not page.error and len(uploads_of(ANNA)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("path", ["streamlit_app.py", "pages/1_Sample.py", "pages/2_Inspect.py"])
def test_anothers_upload_cannot_be_chosen_by_its_name(as_anna, weights, path):
    upload = add_model(BERT, weights, [vocabulary_file()])
    page = open_page(ROOT / path, model=upload.name)
    assert not page.exception
    assert page.selectbox(key="model").value != upload.name
    assert upload.name not in page.selectbox(key="model").options


def test_anothers_run_with_an_upload_cannot_be_run_again(as_anna, weights):
    upload = add_model(BERT, weights, [vocabulary_file()])
    settings = CompareSpec(model=upload.name, text="short").to_json()
    assert upload.name in why_not_here(settings)
    mine = add_model(ANNA, weights, [vocabulary_file()])
    assert not why_not_here({**settings, "model": mine.name})


def test_anothers_sweep_of_an_upload_cannot_go_on(as_anna, queue, weights):
    for owner in (BERT, ANNA):
        upload = add_model(owner, weights, [vocabulary_file()])
        spec = SweepSpec("bptt", (1, 5), CompareSpec(model=upload.name, text="short", seconds=2.0))
        sweep = Run(SweepSpec.kind, spec.to_json(), state=State.STOPPED, visitor=owner)
        queue.store.create(sweep)
        page = open_page(ROOT / "pages/3_Sweep.py", sweep=sweep.id)
        assert not page.exception
        go_on = next(button for button in page.button if button.label.startswith("Continue"))
        assert go_on.disabled == (owner == BERT)


def test_the_worker_runs_an_upload_and_says_when_it_is_gone(queue, weights):
    model = add_model(ANNA, weights, [vocabulary_file()])
    text = add_text(ANNA, Sent("t.txt", LINE.encode() * 20))
    spec = CompareSpec(model=model.name, text=text.name, tokens=100)
    runs = [Run("compare", spec.to_json()) for _ in range(2)]
    for run in runs:
        queue.store.create(run)
        execute(run.id, queue.store)
        remove(ANNA, model.name) if run is runs[0] else None
    done, failed = (queue.store.get(run.id) for run in runs)
    assert done.state == State.DONE and done.result["protocol"]["text"] == text.name
    assert failed.state == State.FAILED and "was removed" in failed.message
    assert json.dumps(done.result).count(str(uploads_folder())) == 0


@pytest.mark.parametrize(
    "name, ending",
    [
        ("pytorch:lstm=int8,linear=int8", ".zip"),
        ("pytorch:lstm=int8,linear=int8", ".pt"),
    ],
)
def test_what_was_taken_away_is_an_upload_that_stays_what_it_is(
    tmp_path, model, vocabulary, name, ending
):
    variant = Variant.parse(name)
    if reason := why_unavailable(variant):
        pytest.skip(reason)
    made = export(Checkpoint("tiny", model, vocabulary, {}), variant, tmp_path / f"mine{ending}")
    words = [] if ending == ".zip" else [vocabulary_file()]
    upload = add_model(ANNA, Sent(f"mine{ending}", Path(made.path).read_bytes()), words)
    assert f"already quantized, imported as {name}" in upload.facts
    loaded = load_checkpoint(find_model(upload.name))
    ids = batchify(torch.arange(20).repeat(5), 1)
    expected = evaluate(prepare(model, variant), ids).loss
    assert evaluate(prepare(loaded.model, variant), ids).loss == expected


def test_weights_alone_still_need_their_vocabulary(weights):
    with pytest.raises(UploadError, match="the vocabulary must be one file, or the corpus"):
        add_model(ANNA, weights, [])
    with pytest.raises(CheckpointError, match=r"the weights 'mine\.zip' stand alone"):
        add_model(ANNA, Sent("mine.zip", b"PK\3\4"), [])
