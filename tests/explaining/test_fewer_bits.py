"""Weights at fewer bits, and the losses recorded for them."""

import pytest
import torch

from wlm.catalog.registry import DEFAULT_MODEL
from wlm.errors import SettingError
from wlm.explaining.bits import rounded, rounded_model
from wlm.explaining.curve import curve_of, recorded_curve
from wlm.paths import ASSETS
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import checked_card


def test_two_bits_leave_four_numbers():
    weights = torch.tensor([[3.0, 0.9, -0.9, -3.0], [0.3, 0.1, 0.0, -0.2]])
    # A step of 3 / 1.5 for the matrix, or of 0.3 / 1.5 for the second row.
    assert rounded(weights, 2, False).tolist() == [[2.0, 0.0, 0.0, -4.0], [0.0, 0.0, 0.0, 0.0]]
    assert rounded(weights, 2, True)[1].tolist() == pytest.approx([0.2, 0.0, 0.0, -0.2])


@pytest.mark.parametrize(("precision", "by_row"), [("int8", False), ("int8-channel", True)])
def test_eight_bits_are_int8s(model, precision, by_row):
    stored = prepare(model, Variant(lstm=precision, linear=precision)).matrices()
    for name, weights in prepare(model, Variant()).matrices().items():
        if name != "encoder.weight":
            assert torch.equal(rounded(weights, 8, by_row), stored[name].dequantize())


def test_a_rounded_model_shares_the_embedding_and_leaves_the_first_one_as_it_was(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    made = rounded_model(model, 3, True)
    assert made.encoder is model.encoder
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
        is_rounded = "weight" in name and not name.startswith("encoder.")
        expected = rounded(value, 3, True) if is_rounded else value
        assert torch.equal(made.state_dict()[name], expected)
    words, hidden = torch.tensor([[2], [7]]), model.init_hidden(1)
    assert not torch.allclose(made(words, hidden)[0], model(words, hidden)[0])
    fresh = type(model)(20, 8, 6, 2).eval()
    fresh.load_state_dict(made.state_dict())
    assert torch.equal(made(words, hidden)[0], fresh(words, hidden)[0])


def test_weights_of_nothing_stay_nothing():
    assert rounded(torch.zeros(2, 3), 4, True).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("bits", [1, 9, 2.5])
def test_other_bits_are_refused_with_the_range(bits):
    with pytest.raises(SettingError, match=f"bits must be a whole number from 2 to 8, got {bits}"):
        rounded(torch.ones(2, 2), bits, False)


def test_the_recorded_losses_are_of_the_bundled_weights_and_shown_for_no_others():
    sha256 = checked_card(ASSETS / "models" / DEFAULT_MODEL)["sha256"]
    assert curve_of(sha256) is recorded_curve()
    assert curve_of("0" * 64) is None and curve_of(None) is None


def test_the_recorded_losses_are_whole_and_say_where_they_are_from():
    curve = recorded_curve()
    assert curve.cpu and curve.tokens > 1_000
    assert {(point.bits, point.by_row) for point in curve.points} == {
        (bits, by_row) for bits in range(2, 9) for by_row in (False, True)
    }
    for point in curve.points:
        assert point.low <= point.delta <= point.high
    assert abs(curve.at(8, True).delta) < 0.01 < curve.at(2, False).delta
