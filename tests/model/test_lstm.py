"""The model: the tutorial's names and shapes, and its arithmetic worked out by hand."""

import math
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import tensor

import wlm
from wlm.errors import SettingError
from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.weights.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"ntoken": 20, "ninp": 8, "nhid": 6, "nlayers": 2}


def test_weights_have_the_tutorials_names_shapes_and_order(model):
    expected = [
        ("encoder.weight", (20, 8)),
        ("rnn.weight_ih_l0", (24, 8)),
        ("rnn.weight_hh_l0", (24, 6)),
        ("rnn.bias_ih_l0", (24,)),
        ("rnn.bias_hh_l0", (24,)),
        ("rnn.weight_ih_l1", (24, 6)),
        ("rnn.weight_hh_l1", (24, 6)),
        ("rnn.bias_ih_l1", (24,)),
        ("rnn.bias_hh_l1", (24,)),
        ("decoder.weight", (20, 6)),
        ("decoder.bias", (20,)),
    ]
    assert [(key, tuple(value.shape)) for key, value in model.state_dict().items()] == expected
    assert list(model.config.shapes().items()) == expected


def test_the_tutorials_sizes_give_its_number_of_parameters():
    shapes = ModelConfig(33_278, 512, 256, 5).shapes()
    embedding, decoder = 33_278 * 512, 33_278 * 256 + 33_278
    first_layer, other_layer = 1024 * (512 + 256 + 2), 1024 * (256 + 256 + 2)
    assert sum(map(math.prod, shapes.values())) == embedding + decoder + first_layer + (
        4 * other_layer
    )


def test_sizes_may_lie_at_their_bounds():
    assert ModelConfig(2, 1, 1, 1, 0.0).dropout == 0.0
    assert len(ModelConfig(1_000_000, 8_192, 8_192, 32, 1).shapes()) == 1 + 4 * 32 + 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ntoken", 1, "a whole number from 2 to 1,000,000, got 1"),
        ("ntoken", 1_000_001, "a whole number from 2 to 1,000,000, got 1,000,001"),
        ("ntoken", 20.0, "a whole number from 2 to 1,000,000, got 20.0"),
        ("ntoken", "20", "a whole number from 2 to 1,000,000, got '20'"),
        ("ninp", 0, "a whole number from 1 to 8,192, got 0"),
        ("ninp", 8_193, "a whole number from 1 to 8,192, got 8,193"),
        ("nhid", 0, "a whole number from 1 to 8,192, got 0"),
        ("nhid", 8_193, "a whole number from 1 to 8,192, got 8,193"),
        ("nhid", None, "a whole number from 1 to 8,192, got None"),
        ("nlayers", 0, "a whole number from 1 to 32, got 0"),
        ("nlayers", 33, "a whole number from 1 to 32, got 33"),
        ("nlayers", True, "a whole number from 1 to 32, got True"),
        ("dropout", -0.1, "a number from 0.0 to 1.0, got -0.1"),
        ("dropout", 1.1, "a number from 0.0 to 1.0, got 1.1"),
        ("dropout", math.nan, "a number from 0.0 to 1.0, got nan"),
        ("dropout", math.inf, "a number from 0.0 to 1.0, got inf"),
        ("dropout", "0.5", "a number from 0.0 to 1.0, got '0.5'"),
    ],
)
def test_a_size_out_of_range_is_refused(name, value, message):
    with pytest.raises(SettingError, match=f"^{name} must be {message}$"):
        ModelConfig(**{**SIZES, name: value})


def test_a_number_too_large_for_a_float_is_out_of_range():
    with pytest.raises(SettingError, match=r"ntoken must be .* from 2 to 1,000,000, got 1,000,"):
        ModelConfig(**{**SIZES, "ntoken": 10**399})


@pytest.mark.parametrize(("length", "batch_size"), [(1, 1), (5, 1), (1, 3), (5, 3)])
def test_logits_and_hidden_state_have_the_shapes_that_are_documented(model, length, batch_size):
    hidden = model.init_hidden(batch_size)
    assert all(torch.equal(state, torch.zeros(2, batch_size, 6)) for state in hidden)
    logits, hidden = model(torch.zeros(length, batch_size, dtype=torch.int64), hidden)
    assert logits.shape == (length, batch_size, 20)
    assert [tuple(state.shape) for state in hidden] == [(2, batch_size, 6)] * 2


def lstm_step(weights, layer, x, h, c):
    """One layer, one step: PyTorch's equations with the gates in its order i, f, g, o."""
    gates = (
        weights[f"rnn.weight_ih_l{layer}"] @ x
        + weights[f"rnn.bias_ih_l{layer}"]
        + weights[f"rnn.weight_hh_l{layer}"] @ h
        + weights[f"rnn.bias_hh_l{layer}"]
    )
    i, f, g, o = gates.view(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def test_two_steps_equal_the_gate_equations(model):
    weights = model.state_dict()
    h = list(torch.linspace(-1.0, 1.0, 12).view(2, 6))
    c = list(torch.linspace(2.0, -2.0, 12).view(2, 6))
    start = torch.stack(h).unsqueeze(1), torch.stack(c).unsqueeze(1)
    expected = []
    for word in (4, 17):
        x = weights["encoder.weight"][word]
        for layer in range(2):
            h[layer], c[layer] = lstm_step(weights, layer, x, h[layer], c[layer])
            x = h[layer]
        expected.append(weights["decoder.weight"] @ x + weights["decoder.bias"])

    logits, hidden = model(tensor([[4], [17]]), start)
    torch.testing.assert_close(logits[:, 0], torch.stack(expected), atol=1e-5, rtol=0)
    torch.testing.assert_close(hidden[0][:, 0], torch.stack(h), atol=1e-5, rtol=0)
    torch.testing.assert_close(hidden[1][:, 0], torch.stack(c), atol=1e-5, rtol=0)


def test_the_columns_of_a_batch_do_not_touch_each_other(model):
    words = tensor([[2, 9], [3, 8], [4, 7]])
    together, _ = model(words, model.init_hidden(2))
    for column in range(2):
        alone, _ = model(words[:, column : column + 1], model.init_hidden(1))
        torch.testing.assert_close(together[:, column : column + 1], alone, atol=1e-6, rtol=0)


def test_dropout_is_active_in_training_only(model):
    words = torch.arange(20).view(20, 1)
    before = model(words, model.init_hidden(1))[0]
    assert torch.equal(model(words, model.init_hidden(1))[0], before)
    with torch.random.fork_rng(devices=[]):
        assert not torch.equal(model.train()(words, model.init_hidden(1))[0], before)


def test_dropout_lies_before_and_after_the_lstm():
    with torch.random.fork_rng(devices=[]):
        model = LSTMModel(20, 8, 6, 1, dropout=1.0)  # everything is dropped
        logits, after_2 = model(tensor([[2]]), model.init_hidden(1))
        _, after_9 = model(tensor([[9]]), model.init_hidden(1))
    assert torch.equal(logits[0, 0], model.decoder.bias)
    assert all(map(torch.equal, after_2, after_9))


def test_a_single_layer_is_made_without_a_warning():
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("error")
        assert LSTMModel(20, 8, 6, 1).config.dropout == 0.5


@pytest.mark.slow
def test_importing_wlm_does_not_import_torch():
    look = "print('torch' in sys.modules)"
    code = f"import sys, wlm; {look}; wlm.Vocabulary; {look}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_every_public_name_is_there_and_no_other():
    assert len(wlm.__all__) <= 10
    for name in wlm.__all__:
        assert getattr(wlm, name).__name__ == name
    with pytest.raises(AttributeError, match="'wlm' has no attribute 'LSTM'"):
        _ = wlm.LSTM


def test_loading_a_model_leaves_the_global_random_state_alone(model_folder):
    before = torch.get_rng_state()
    load_checkpoint(model_folder)
    assert torch.equal(torch.get_rng_state(), before)
