"""4-bit integers in blocks: rounded, packed and unpacked, against nibbles worked out by hand."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wlm.model.int4 import BLOCK, in_int4, pack, unpack


def integers(*rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.int8)


def test_two_integers_are_a_byte_the_first_in_its_lower_half():
    # q + 8: -8, 7, 0, 1 are 0, 15, 8, 9.
    packed = pack(integers([-8, 7, 0, 1], [0, -1, 2, -3]), 2)
    assert packed.tolist() == [[0xF0, 0x98], [0x78, 0x5A]]
    assert packed.dtype == torch.uint8


def test_rows_are_filled_up_with_zeros():
    assert pack(integers([1, 2, 3]), 2).tolist() == [[0xA9, 0x8B]]
    assert pack(integers([1]), 32).tolist() == [[0x89] + [0x88] * 15]
    assert unpack(pack(integers([1, 2, 3]), 32), 3).tolist() == [[1, 2, 3]]


def test_each_block_has_a_scale_its_largest_number_a_seventh_of_which_is_one_step():
    row = torch.zeros(70)
    row[:4] = torch.tensor([-14.0, 3.1, -2.9, 1.0])  # scale 2: 1.55, -1.45 and 0.5, half to even
    row[33] = 0.21  # scale 0.03
    blocks = in_int4(row.view(1, -1))  # the third block is of six zeros, and its scale 1
    assert blocks.shape == (1, 70) and blocks.values.dtype == torch.int8
    torch.testing.assert_close(blocks.scales, torch.tensor([[2.0, 0.03, 1.0]]))
    assert blocks.values[0, :4].tolist() == [-7, 2, -1, 0] and blocks.values[0, 33] == 7
    assert blocks.values.count_nonzero() == 4
    expected = torch.zeros(70)
    expected[:3], expected[33] = torch.tensor([-14.0, 4.0, -2.0]), 0.21
    torch.testing.assert_close(blocks.dequantize()[0], expected)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.integers(1, 5), st.integers(1, 100), st.sampled_from([1e-45, 1e-3, 1.0, 1e14]))
def test_no_weight_moves_by_more_than_half_a_scale_and_packing_loses_nothing(rows, columns, size):
    generator = torch.Generator().manual_seed(rows * columns)
    weights = (torch.rand(rows, columns, generator=generator) - 0.5) * size
    blocks = in_int4(weights)
    moved = (blocks.dequantize() - weights).abs()
    assert (moved <= 0.5001 * blocks.step).all()
    for multiple in (2, BLOCK):
        assert torch.equal(unpack(pack(blocks.values, multiple), columns), blocks.values)
