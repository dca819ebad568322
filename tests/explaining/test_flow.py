"""A word on its way through a model."""

import pytest
import torch

from wlm.explaining.reading import flow
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant


def test_a_word_goes_through_each_part_to_the_likeliest_next_words(model, vocabulary):
    found = flow(prepare(model, Variant()), vocabulary, ["the", "old", "bridge"], count=3)
    ids = vocabulary.encode(["the", "old", "bridge"])
    with torch.inference_mode():
        logits, (hidden, _) = model(ids.view(-1, 1), model.init_hidden(1))
        embedded = model.encoder(ids[-1])
    assert (found.word, found.id) == ("bridge", vocabulary.ids["bridge"])
    assert list(found.values) == ["embedding", "LSTM 0", "LSTM 1"]
    assert found.values["embedding"] == tuple(embedded.tolist())
    assert found.values["LSTM 1"] == pytest.approx(tuple(hidden[1, 0].tolist()), abs=1e-6)
    shares = logits[-1, 0].softmax(0).topk(3)
    assert [word for word, _ in found.next_words] == vocabulary.decode(shares.indices)
    assert [share for _, share in found.next_words] == pytest.approx(shares.values.tolist())


def test_a_variant_with_an_int8_embedding_lets_a_word_through_too(model, vocabulary):
    made = prepare(model, Variant("int8", "int8", "int8"))
    assert len(flow(made, vocabulary, ["the"]).next_words) == 5
