"""Activations layer by layer, against the whole model and against numbers worked out by hand."""

import math

import pytest
import torch
from torch import nn

from wlm.inspecting.activation_error import activations, layer_errors
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

IDS = torch.tensor([3, 7, 1, 19, 3, 0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fp32", "onnxruntime:"])
def test_layers_are_those_of_a_shorter_stack_over_the_whole_text(model, name):
    found = activations(prepare(model, Variant.parse(name)), IDS)
    assert list(found) == model.config.parts()
    embedded = model.encoder(IDS).unsqueeze(1)
    first = nn.LSTM(8, 6, 1)
    state = {key: value for key, value in model.rnn.state_dict().items() if key.endswith("_l0")}
    first.load_state_dict(state)
    logits, _ = model(IDS.view(-1, 1), model.init_hidden(1))
    torch.testing.assert_close(found["embedding"], embedded[:, 0])
    torch.testing.assert_close(found["LSTM 0"], first(embedded)[0][:, 0])
    torch.testing.assert_close(found["LSTM 1"], model.rnn(embedded)[0][:, 0])
    torch.testing.assert_close(found["decoder"], logits[:, 0])


def test_what_is_not_rounded_is_equal_and_what_follows_is_not(model):
    reference = activations(prepare(model, Variant()), IDS)
    errors = layer_errors(reference, activations(prepare(model, Variant(linear="int8")), IDS))
    assert [error.sqnr_db for error in errors[:3]] == [math.inf] * 3
    assert 10 < errors[3].sqnr_db < 60 and 0.9 < errors[3].cosine < 1.0
    assert errors[0].to_json() == {"part": "embedding", "cosine": 1.0, "sqnr_db": None}


def test_the_ratio_is_over_all_words_and_the_cosine_the_mean_of_each():
    reference = {"x": torch.tensor([[3.0, 4.0], [0.0, 5.0]])}
    (error,) = layer_errors(reference, {"x": torch.tensor([[4.0, 3.0], [0.0, 5.0]])})
    assert error.sqnr_db == pytest.approx(10 * math.log10(50 / 2))
    assert error.cosine == pytest.approx((24 / 25 + 1) / 2)
