"""What a server keeps in memory of models and variants: no more than it is meant to."""

import shutil

import pytest

from helpers.driver import open_page
from view.shared import server
from wlm.errors import WLMError
from wlm.quantization.variant import Variant

INT8 = Variant.parse("int8")
LSTM, LINEAR = Variant.parse("pytorch:lstm=int8"), Variant.parse("pytorch:linear=int8")


@pytest.fixture
def names(queue, model_folder) -> list[str]:
    """Four models of equal sizes to choose."""
    for name in ("second", "third", "fourth"):
        shutil.copytree(model_folder, model_folder.parent / name)
    return ["tiny", "second", "third", "fourth"]


def test_a_model_and_a_variant_are_made_once_for_all_visitors(queue):
    model, variant = server.load_model("tiny"), server.load_variant("tiny", INT8)
    for _ in range(2):
        open_page()
    assert server.load_model("tiny") is model
    assert server.load_variant("tiny", INT8) is variant
    assert server.models().made == 1


def test_so_many_models_are_in_memory_and_their_variants_go_with_them(names):
    for name in names:
        server.config_of(name)
        server.load_variant(name, INT8)
        server.load_variant(name, LSTM)
    assert list(server.models()._things) == names[-2:]
    size = 4 * 1020  # numbers, of four bytes
    assert server.models().bytes == 2 * size
    assert server.models().made == 4
    assert server.config_of("tiny").ntoken == 20  # its sizes are still known
    assert server.models().made == 4


def test_models_take_so_many_bytes_and_no_more(names, monkeypatch):
    monkeypatch.setattr(server, "MOST_MODEL_BYTES", 5000)
    for name in names[:2]:
        server.load_model(name)
    assert list(server.models()._things) == [names[1]]


def test_variants_take_so_many_bytes_and_no_more(queue, monkeypatch):
    monkeypatch.setattr(server, "MOST_VARIANT_BYTES", 2000)
    for variant in (LSTM, LINEAR, INT8):
        server.load_variant("tiny", variant)
    variants = server.models().get("tiny", None).variants
    assert list(variants._things) == [LINEAR, INT8]
    assert variants.bytes == 2 * 140 + 2 * (720 + 140)


def test_a_path_is_no_model(queue, model_folder):
    with pytest.raises(WLMError, match="must be one of"):
        server.load_model(str(model_folder))
