"""Uploads that are refused: messages quote little of them, and name nothing of this machine."""

import tempfile

import pytest
from safetensors.torch import save
from test_uploads import ANNA, Sent, vocabulary_file

from helpers import hostile
from helpers.driver import ROOT
from wlm.errors import MOST_SHOWN, WLMError
from wlm.paths import uploads_folder
from wlm.uploads.checks import add_model, add_text
from wlm.uploads.store import uploads_of
from wlm.weights.checkpoint import load_checkpoint

PICKLES = {
    f"{name}, {form.__name__}": ("a.pt", form(opcodes))
    for name, opcodes in hostile.PICKLES.items()
    for form in (hostile.zipped, hostile.legacy)
}
WEIGHTS = {**hostile.QUOTED, **PICKLES}


def check(error: WLMError) -> None:
    """Check that a message quotes little of a file, and has no path of this machine."""
    message = str(error)
    assert message.count(hostile.MARK) <= MOST_SHOWN and len(message) < 600, message
    for folder in (uploads_folder(), ROOT, tempfile.gettempdir()):
        assert str(folder) not in message, message


@pytest.mark.parametrize(("name", "content"), WEIGHTS.values(), ids=WEIGHTS)
def test_refused_weights_are_hardly_quoted(tmp_path, name, content):
    words = [] if name.endswith(".zip") else [vocabulary_file()]
    with pytest.raises(WLMError) as refused:
        add_model(ANNA, Sent(name, content), words)
    check(refused.value)
    assert not uploads_of(ANNA) and not list(uploads_folder().glob("*"))
    path = tmp_path / name
    path.write_bytes(content)
    (tmp_path / "words.txt").write_bytes(vocabulary_file().getvalue())
    with pytest.raises(WLMError) as refused:
        load_checkpoint(path, vocabulary=tmp_path / "words.txt")
    assert str(refused.value).count(hostile.MARK) <= MOST_SHOWN


@pytest.mark.parametrize("content", hostile.VOCABULARIES.values(), ids=hostile.VOCABULARIES)
@pytest.mark.parametrize("name", ["words.txt", "words.json"])
def test_a_refused_vocabulary_is_hardly_quoted(model, name, content):
    weights = Sent("a.safetensors", save(model.state_dict()))
    with pytest.raises(WLMError) as refused:
        add_model(ANNA, weights, [Sent(name, content.encode())])
    check(refused.value)


@pytest.mark.parametrize(
    "content",
    [hostile.LONG.encode(), hostile.LONG.encode() + b"\xff", hostile.LONG.encode() + b"\0"],
)
def test_a_refused_text_is_hardly_quoted(content):
    # The first of them is read: its words are unknown.
    try:
        upload = add_text(ANNA, Sent(f"{hostile.LONG}.txt", content))
    except WLMError as error:
        check(error)
    else:
        assert hostile.MARK not in upload.facts
