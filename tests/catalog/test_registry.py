"""Names of models and texts: the bundled ones, and those that the environment adds."""

from pathlib import Path

import pytest

from wlm.catalog.registry import (
    DEFAULT_MODEL,
    DEFAULT_TEXT,
    find_model,
    find_text,
    list_models,
    list_texts,
)
from wlm.errors import CheckpointError, TextError
from wlm.paths import ASSETS
from wlm.runs.recordings import recordings
from wlm.weights.checkpoint import checked_card


@pytest.fixture(autouse=True)
def nothing_added(monkeypatch, tmp_path):
    """No models and texts but the bundled ones, in an empty working directory."""
    monkeypatch.delenv("WLM_MODELS", raising=False)
    monkeypatch.delenv("WLM_TEXTS", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """The folder that WLM_TEXTS names; `texts("a/test.txt")` adds a file to it."""
    folder = tmp_path / "texts"
    folder.mkdir()
    monkeypatch.setenv("WLM_TEXTS", str(folder))

    def add(*names):
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("the river\n", "utf-8")
        return folder

    return add


def added(list_names):
    """The names beyond the bundled ones, each with its path."""
    found = list_names()
    return {name: path for name, path in found.items() if ASSETS not in path.parents}


def test_the_defaults_are_bundled():
    assert list_models()[DEFAULT_MODEL] == ASSETS / "models" / DEFAULT_MODEL
    assert list_texts()[DEFAULT_TEXT] == ASSETS / "texts" / f"{DEFAULT_TEXT}.txt"
    assert added(list_models) == added(list_texts) == {}


def test_the_recorded_runs_are_of_the_bundled_weights():
    weights = checked_card(ASSETS / "models" / DEFAULT_MODEL)["sha256"]
    found = {run.result["protocol"]["weights_sha256"] for run in recordings().values()}
    assert found == {weights}


def test_a_folder_of_models_adds_each_that_has_a_card(model_folder, monkeypatch):
    (model_folder.parent / "notes").mkdir()
    (model_folder.parent / "card.json").write_text("{}", "utf-8")
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    assert added(list_models) == {"tiny": model_folder}
    assert next(iter(list_models())) == DEFAULT_MODEL


def test_a_model_never_takes_a_bundled_ones_name(model_folder, monkeypatch):
    folder = model_folder.rename(model_folder.with_name(DEFAULT_MODEL))
    monkeypatch.setenv("WLM_MODELS", str(folder.parent))
    assert added(list_models) == {f"models/{DEFAULT_MODEL}": folder}
    assert find_model(DEFAULT_MODEL) == ASSETS / "models" / DEFAULT_MODEL
    assert find_model(f"models/{DEFAULT_MODEL}") == folder


def test_a_folder_of_text_files_adds_each(texts):
    folder = texts("rivers.txt", "bridges.txt", "notes.md")
    expected = {"bridges": folder / "bridges.txt", "rivers": folder / "rivers.txt"}
    assert added(list_texts) == expected
    assert list(added(list_texts)) == ["bridges", "rivers"]


def test_a_folder_with_a_test_txt_is_one_text(texts):
    folder = texts("train.txt", "valid.txt", "test.txt", "more/test.txt")
    assert added(list_texts) == {"texts": folder / "test.txt"}


def test_a_folder_of_corpora_adds_the_test_txt_of_each(texts):
    folder = texts("wikitext-2/test.txt", "wikitext-2/train.txt", "empty/train.txt", "short.txt")
    expected = {"short": folder / "short.txt", "wikitext-2": folder / "wikitext-2" / "test.txt"}
    assert added(list_texts) == expected


def test_a_text_whose_name_is_taken_is_named_with_its_folder(texts):
    folder = texts("rivers.txt", "rivers/test.txt", f"{DEFAULT_TEXT}.txt")
    assert added(list_texts) == {
        "rivers": folder / "rivers.txt",
        "rivers/rivers": folder / "rivers" / "test.txt",
        f"texts/{DEFAULT_TEXT}": folder / f"{DEFAULT_TEXT}.txt",
    }
    assert find_text(DEFAULT_TEXT) == (DEFAULT_TEXT, ASSETS / "texts" / f"{DEFAULT_TEXT}.txt")


@pytest.mark.parametrize("value", ["", "/no/such/folder", __file__])
def test_a_variable_that_names_no_folder_adds_nothing(monkeypatch, value):
    monkeypatch.setenv("WLM_MODELS", value)
    monkeypatch.setenv("WLM_TEXTS", value)
    assert added(list_models) == added(list_texts) == {}


def test_a_text_is_found_by_name_file_or_folder(texts):
    folder = texts("rivers.txt", "wiki/test.txt")
    assert find_text("rivers") == ("rivers", folder / "rivers.txt")
    assert find_text(str(folder / "rivers.txt")) == ("rivers", folder / "rivers.txt")
    assert find_text(str(folder / "wiki")) == ("wiki", folder / "wiki" / "test.txt")
    assert find_text(str(folder / "wiki" / ".")) == ("wiki", folder / "wiki" / "test.txt")


def test_a_model_is_found_by_name_folder_or_file(model_folder, monkeypatch):
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    weights = model_folder / "model.safetensors"
    assert find_model("tiny") == model_folder
    assert find_model(str(model_folder)) == model_folder
    assert find_model(str(weights)) == weights


def test_a_name_goes_before_a_path_of_the_same_name(texts):
    Path("rivers").write_text("another text\n", "utf-8")
    folder = texts("rivers.txt")
    assert find_text("rivers") == ("rivers", folder / "rivers.txt")


NOWHERE = ["", "nowhere", "../x", "../../etc", "a/b", "rivers\0", "\0", "\ud800", "x" * 5_000]


@pytest.mark.parametrize("name", NOWHERE)
def test_a_text_that_is_nowhere_is_refused_with_the_names_there_are(texts, name):
    texts("rivers.txt")
    with pytest.raises(TextError) as caught:
        find_text(name)
    message = str(caught.value)
    assert message.startswith(f"there is no text {name!r}: give a name ({DEFAULT_TEXT}")
    assert message.endswith(", rivers), a text file, or a folder with a test.txt")


@pytest.mark.parametrize("name", NOWHERE)
def test_a_model_that_is_nowhere_is_refused_with_the_names_there_are(name):
    with pytest.raises(CheckpointError) as caught:
        find_model(name)
    message = str(caught.value)
    assert message.startswith(f"there is no model {name!r}: give a name ({DEFAULT_MODEL}")
    assert message.endswith("), a model folder, or a weights file")


def test_a_folder_without_a_test_txt_is_no_text(texts):
    with pytest.raises(TextError, match="there is no text"):
        find_text(str(texts("train.txt")))
