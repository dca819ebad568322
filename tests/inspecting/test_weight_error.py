"""Rounding errors of weights, against numbers worked out by hand."""

import math
import warnings

import pytest
import torch

from wlm.inspecting.weight_error import (
    grid_of,
    histogram,
    row_label,
    sqnr_db,
    weight_error,
    weight_errors,
)
from wlm.model.int4 import in_int4
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import Checkpoint

INT8 = Variant(lstm="int8", linear="int8")
WEIGHTS = torch.tensor([[0.9, -2.0], [0.24, 1.0]])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's, of deprecation
    # Per tensor, step 0.5: 2, -4, 0, 2.
    BY_TENSOR = torch.quantize_per_tensor(WEIGHTS, 0.5, 0, torch.qint8)
    # A step for each row, 1.0 and 0.25: 1, -2; 1, 4.
    BY_ROW = torch.quantize_per_channel(
        WEIGHTS, torch.tensor([1.0, 0.25]), torch.tensor([0, 0]), 0, torch.qint8
    )


def test_the_ratio_is_the_signals_power_over_the_errors():
    # 100 / 1 in power.
    assert sqnr_db(torch.tensor([6.0, 8.0]), torch.tensor([6.0, 7.0])) == pytest.approx(20.0)
    # Half the error: 6.02 dB more.
    assert sqnr_db(torch.tensor([6.0, 8.0]), torch.tensor([6.0, 7.5])) == pytest.approx(26.0206)
    assert sqnr_db(WEIGHTS, WEIGHTS) == math.inf


def test_a_matrix_with_one_step():
    error = weight_error("decoder.weight", WEIGHTS, BY_TENSOR)
    assert (error.step, error.by_row, error.shape) == ((0.5, 0.5), False, (2, 2))
    # Stored: 1, -2; 0, 1. Errors: 0.1, 0; 0.24, 0.
    signal, noise = 0.81 + 4.0 + 0.0576 + 1.0, 0.01 + 0.0576
    assert error.sqnr_db == pytest.approx(10 * math.log10(signal / noise), abs=1e-4)
    first, second = error.largest
    assert (first.row, first.column, first.stored) == (1, 0, 0.0)
    assert (second.row, second.column, second.stored) == (0, 0, 1.0)
    assert (error.levels, error.levels_99) == (256, 3)  # 2 twice, -4 and 0


def test_a_matrix_with_a_step_for_each_row():
    error = weight_error("decoder.weight", WEIGHTS, BY_ROW)
    assert (error.step, error.by_row) == ((0.25, 1.0), True)
    # Stored: 1, -2; 0.25, 1.
    noise = 0.01 + 0.0001
    assert error.sqnr_db == pytest.approx(10 * math.log10(5.8676 / noise), abs=1e-4)


def test_a_matrix_with_a_step_for_each_block():
    weights = torch.cat([torch.tensor([7.0, -3.4, 0.0]), torch.zeros(30)]).view(1, 33)
    weights[0, 32] = 0.7
    stored = in_int4(weights)  # steps 1 and 0.1; levels 7, -3, 30 times 0, 7
    error = weight_error("decoder.weight", weights, stored)
    assert error.step == pytest.approx((0.1, 1.0)) and error.by_row
    assert error.sqnr_db == pytest.approx(10 * math.log10((49 + 3.4**2 + 0.49) / 0.4**2), abs=1e-4)
    assert (error.levels, error.levels_99) == (16, 3)
    (worst,) = error.largest
    assert (worst.row, worst.column, worst.stored) == (0, 1, -3.0)
    for fine in (False, True):
        found = histogram(weights, stored, fine=fine)
        assert found.in_levels and found.grid == list(range(-8, 8))
        assert sum(found.counts) == 33
    assert histogram(weights, stored).counts == [0] * 5 + [1, 0, 0, 30] + [0] * 6 + [2]


def test_floats_have_no_grid_and_no_error():
    error = weight_error("decoder.weight", WEIGHTS, WEIGHTS)
    assert (error.step, error.levels_99, error.largest) == (None, None, [])
    assert error.to_json()["sqnr_db"] is None


def test_no_weight_moves_by_more_than_half_a_step(model):
    errors = weight_errors(*(prepare(model, variant) for variant in (Variant(), INT8)))
    assert errors[0].matrix == "encoder.weight"
    assert errors[0].sqnr_db == math.inf
    for error in errors[1:]:
        moved = max(abs(one.stored - one.weight) for one in error.largest)
        assert 0 < moved <= error.step[0] / 2 * 1.0001
        assert 30 < error.sqnr_db < 60


def test_levels_are_whole_where_weights_can_be_stored():
    grid = grid_of(BY_ROW)
    assert torch.equal(grid.levels(BY_ROW.dequantize()), BY_ROW.int_repr().float())
    assert (grid.lowest, grid.highest) == (-128, 127)


def test_a_histogram_counts_each_level():
    found = histogram(WEIGHTS, BY_TENSOR)
    assert len(found.counts) == len(found.grid) == 256
    assert (found.grid[0], found.grid[-1], found.in_levels) == (-64.0, 63.5, False)
    stored = {found.grid[i]: count for i, count in enumerate(found.counts) if count}
    assert stored == {-2.0: 1, 0.0: 1, 1.0: 2}


def test_a_fine_histogram_shows_where_between_the_levels_weights_lie():
    found = histogram(WEIGHTS, BY_TENSOR, fine=True)
    assert found.grid == [0.5 * level for level in range(-10, 11)]
    assert len(found.counts) == 8 * 21 and sum(found.counts) == 4
    # 0.24 lies 0.48 steps above 0: in the last of the level's 8 bins.
    i = next(i for i in range(168) if found.counts[i] and found.start + i * found.width > 0.1)
    assert found.start + i * found.width == pytest.approx(0.5 * 3 / 8)


def test_a_histogram_over_rows_counts_in_levels():
    found = histogram(WEIGHTS, BY_ROW)
    assert found.in_levels
    stored = {found.grid[i]: count for i, count in enumerate(found.counts) if count}
    assert stored == {-2: 1, 1: 2, 4: 1}


def test_a_histogram_of_floats_has_no_grid():
    found = histogram(WEIGHTS, WEIGHTS)
    assert found.grid == [] and sum(found.counts) == 4
    assert found.start == -2.0 and found.start + 256 * found.width == pytest.approx(2.0)


def test_rows_are_words_or_gates(model, vocabulary):
    checkpoint = Checkpoint("tiny", model, vocabulary, {})
    assert row_label("decoder.weight", 7, checkpoint) == "river"
    assert row_label("rnn.weight_ih_l1", 6 + 2, checkpoint) == "forget gate of unit 2"
