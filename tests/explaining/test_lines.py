"""The lines of torch on the page How run and give the numbers of the page."""

import warnings

import pytest
import torch

from wlm.explaining.bits import rounded
from wlm.explaining.integers import word_at
from wlm.explaining.reading import read
from wlm.explaining.snippets import lines_of
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

WORDS = ("the", "old", "bridge")


def ran(lines: tuple[str, ...]) -> dict:
    """What the names of some lines mean after they have run, one step after the other."""
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines:
            exec(compile(line, "lines", "exec"), names)
    return names


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize(
    ("matrix", "at"),
    [
        ("decoder.weight", 2),
        ("rnn.weight_ih_l0", 1),
        ("rnn.weight_ih_l1", 2),
        ("rnn.weight_hh_l1", 2),
        ("rnn.weight_hh_l0", 0),  # its input is the zero state
    ],
)
def test_the_lines_compute_what_is_shown(
    model, model_folder, vocabulary, capsys, matrix, at, by_row
):
    precision, row = "int8-channel" if by_row else "int8", 3
    models = [prepare(model, variant) for variant in (Variant(), Variant(precision, precision))]
    pairs = [(made, read(made, vocabulary.encode(WORDS))) for made in models]
    shown = word_at(*pairs, matrix, row, at)
    lines = lines_of(
        str(model_folder),
        WORDS[: at + 1],
        matrix,
        row,
        by_row=by_row,
        bits=3,
    )
    names = ran(lines)
    assert names["integers"][row].tolist() == list(shown.row.integers)
    assert float(names["input_step"]) == pytest.approx(shown.grid.step)
    assert int(names["zero_point"]) == shown.grid.zero_point
    assert names["input_integers"].tolist() == list(shown.sum.inputs)
    assert int(names["total"]) == shown.sum.total
    assert float(names["value"]) == pytest.approx(shown.sum.value, rel=1e-5, abs=1e-6)
    assert float(names["value"]) == pytest.approx(shown.pytorch, rel=1e-5, abs=1e-6)
    weights = names["checkpoint"].model.state_dict()["rnn.weight_hh_l1"]
    expected = rounded(model.state_dict()["rnn.weight_hh_l1"], 3, by_row)
    assert torch.allclose(weights, expected, atol=1e-6)
    assert "tensor" in capsys.readouterr().out
