"""What the page How works out in integers is what PyTorch works out, to the last digits."""

import pytest
import torch

from wlm.explaining.integers import (
    IntegerSum,
    grid_between,
    highest_level,
    next_words,
    rounded_row,
    word_at,
)
from wlm.explaining.reading import read
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

ENGINES = [
    engine
    for engine in ("x86", "fbgemm", "qnnpack")
    if engine in torch.backends.quantized.supported_engines
]
PRECISIONS = ("int8", "int8-channel")
IDS = torch.tensor([2, 16, 7, 15, 2, 0])


@pytest.fixture(params=ENGINES)
def engine(request) -> str:
    return request.param


def pairs(model, precision: str, engine: str, ids=IDS) -> list:
    variants = Variant(), Variant(lstm=precision, linear=precision, engine=engine)
    made = [prepare(model, variant) for variant in variants]
    return [(prepared, read(prepared, ids)) for prepared in made]


def near(value: float):
    return pytest.approx(value, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_integers_add_up_to_what_pytorch_gives_for_every_row_of_every_matrix(
    model, engine, precision
):
    fp32, int8 = pairs(model, precision, engine)
    for matrix, weights in list(fp32[0].matrices().items())[1:]:
        for row in range(len(weights)):
            for at in (0, 5):
                found = word_at(fp32, int8, matrix, row, at)
                assert found.sum.value == near(found.pytorch), (matrix, row, at)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_gates_of_such_sums_make_the_hidden_state_that_pytorch_hands_on(model, engine, precision):
    fp32, int8 = pairs(model, precision, engine)
    reading, units = int8[1], model.config.nhid

    def gates(matrix: str, at: int) -> torch.Tensor:
        rows = range(4 * units)
        found = (word_at(fp32, int8, matrix, row, at) for row in rows)
        return torch.tensor([word.sum.value for word in found])

    for layer in range(model.config.nlayers):
        cell = torch.zeros(units)
        for at in range(3):
            both = gates(f"rnn.weight_ih_l{layer}", at) + gates(f"rnn.weight_hh_l{layer}", at)
            input, forget, new, output = both.view(4, units)
            cell = forget.sigmoid() * cell + input.sigmoid() * new.tanh()
            hidden = output.sigmoid() * cell.tanh()
            assert hidden.tolist() == near(reading.hidden[at + 1, layer].tolist())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_so_they_do_with_the_bundled_weights(bundled, precision):
    ids = bundled.vocabulary.encode("The old bridge over the river was built of".split())
    fp32, int8 = pairs(bundled.model, precision, "", ids)
    for matrix, row in (
        ("decoder.weight", 33_277),
        ("rnn.weight_ih_l0", 0),
        ("rnn.weight_hh_l4", 9),
    ):
        found = word_at(fp32, int8, matrix, row, 8)
        assert found.sum.value == near(found.pytorch), (matrix, row)


def test_a_model_reads_word_by_word_what_each_matrix_is_given(model):
    fp32, _ = pairs(model, "int8", "")
    reading, (hidden, cell) = fp32[1], model.init_hidden(1)
    for at, id in enumerate(IDS):
        before = hidden
        logits, (hidden, cell) = model(id.view(1, 1), (hidden, cell))
        assert torch.allclose(reading.input("rnn.weight_ih_l0", at), model.encoder(id), atol=1e-6)
        assert torch.allclose(reading.input("rnn.weight_ih_l1", at), hidden[0, 0], atol=1e-6)
        assert torch.allclose(reading.input("rnn.weight_hh_l1", at), before[1, 0], atol=1e-6)
        found = fp32[0].multiplied("decoder.weight", reading.input("decoder.weight", at))
        assert torch.allclose(found, logits[0, 0], atol=1e-5)
    lows, highs = zip(*reading.ranges("rnn.weight_hh_l0"), strict=True)
    assert lows[0] == highs[0] == 0.0  # the zero state
    assert lows[1] < 0.0 < highs[1]


@pytest.mark.parametrize(
    ("low", "high", "highest", "step", "zero_point"),
    [
        (-1.0, 1.54, 127, 0.02, 50),
        (0.5, 2.54, 127, 0.02, 0),  # 0 is always on the grid
        (-2.54, -0.5, 127, 0.02, 127),
        (-1.0, 4.1, 255, 0.02, 50),
        (0.0, 0.0, 127, 0.1, 0),
        (-1e-7, 1e-7, 127, 6.1e-5, 64),
    ],
)
def test_an_inputs_grid_has_its_minimum_and_its_maximum_at_its_ends(
    low, high, highest, step, zero_point
):
    grid = grid_between(low, high, highest)
    assert (grid.step, grid.zero_point) == (pytest.approx(step), zero_point)
    assert len(grid.ticks()) == highest + 1 and grid.ticks()[zero_point] == 0.0


def test_values_become_integers_and_some_lie_outside_a_fixed_range():
    grid = grid_between(-1.0, 1.54, 127)
    assert grid.integers(torch.tensor([-1.0, 0.0, 0.031, 1.54])).tolist() == [0, 50, 52, 127]
    assert grid.outside(torch.tensor([-1.01, -1.0, 1.54, 2.0])) == 2


def test_engines_leave_the_eighth_bit_free_but_for_qnnpack(monkeypatch):
    assert [highest_level(engine) for engine in ("x86", "fbgemm", "qnnpack")] == [127, 127, 255]
    monkeypatch.setattr("wlm.explaining.integers.default_engine", lambda: "qnnpack")
    assert highest_level() == 255


def test_a_row_on_its_matrix_grid_and_on_one_of_its_own():
    weights = torch.tensor([[0.5, -0.26], [12.75, 1.0]])
    one = torch.quantize_per_tensor(weights, 0.1, 0, torch.qint8)
    row = rounded_row(weights, one, 0)
    assert (row.integers, row.levels_used) == ((5, -3), 9)
    assert (row.step, row.largest, row.largest_row) == (pytest.approx(0.1), 12.75, 1)
    assert row.error(1) == pytest.approx(-0.04)
    assert row.own_step == pytest.approx(0.5 / 127.5)
    assert row.own_sqnr_db > row.sqnr_db
    steps, zeros = torch.tensor([0.5, 12.75]) / 127.5, torch.tensor([0, 0])
    each = torch.quantize_per_channel(weights, steps, zeros, 0, torch.qint8)
    row = rounded_row(weights, each, 0)
    assert (row.integers, row.largest, row.largest_row) == ((127, -66), 0.5, 0)


def test_a_sum_by_hand():
    found = IntegerSum((2, -3, 100), (10, 20, 127), 0.5, 0.25, 10, 1.0)
    assert found.products == [20, -60, 12_700]
    assert found.running == [20, -40, 12_660]
    assert (found.total, found.correction) == (12_660, 990)
    assert found.value == (12_660 - 990) * 0.125 + 1.0


def test_next_words_are_of_both_models_and_drawn_with_the_same_numbers(model, vocabulary):
    both = pairs(model, "int8", "")
    found = next_words(both, vocabulary, 3)
    likeliest = max(found, key=lambda word: word.probabilities[0]).word
    with torch.inference_mode():
        logits, _ = model(IDS[:4].view(-1, 1), model.init_hidden(1))
    assert likeliest == vocabulary.words[int(logits[-1, 0].argmax())]
    assert len(found) >= 10
    assert next_words(both, vocabulary, 3) == found
    assert next_words([both[0], both[0]], vocabulary, 3)[0].arrivals[0] == found[0].arrivals[0]
