"""Models and texts opened by name."""

import torch

from wlm.catalog.open import open_model, open_text


def test_a_model_is_opened_by_name_by_folder_and_as_one_of_random_weights(
    model_folder, model, monkeypatch
):
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    for name in ("tiny", str(model_folder)):
        assert torch.equal(open_model(name).model.encoder.weight, model.encoder.weight)
    weights = model_folder / "model.safetensors"
    assert open_model(str(weights), vocabulary=model_folder / "vocab.txt").model.config.nhid == 6
    assert open_model("random-4").model.config.nhid == 4


def test_a_text_is_opened_by_its_name_and_read_with_the_models_words(
    text_file, vocabulary, monkeypatch
):
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    text = open_text("short", vocabulary)
    assert text.name == "short" and len(text.ids) == 640
