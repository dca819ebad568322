"""Matrices of integers in memory.

An integer q means the number (q - zero_point) * scale. A matrix has one scale and one zero point,
or one of each per row.
"""

import warnings

import torch
from torch import Tensor

_PER_TENSOR = (torch.per_tensor_affine, torch.per_tensor_symmetric)


def quantized_tensor(values: Tensor, scales: Tensor, zeros: Tensor, by_row: bool) -> Tensor:
    """Return integers (R, C) as a quantized tensor, with one scale and zero point or R of each."""
    with warnings.catch_warnings():
        # The app and README already tell users that PyTorch will remove such tensors.
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        if not by_row:
            return torch._make_per_tensor_quantized_tensor(values, float(scales), int(zeros))
        zeros = zeros if zeros.is_floating_point() else zeros.long()
        return torch._make_per_channel_quantized_tensor(values, scales, zeros, 0)


def scales_of(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return a quantized matrix's scales and zero points: of shape () for the whole matrix, or
    (R, 1) for its rows."""
    if matrix.qscheme() in _PER_TENSOR:
        scale = torch.tensor(matrix.q_scale(), dtype=torch.float64)
        return scale, torch.tensor(matrix.q_zero_point())
    scales, zeros = matrix.q_per_channel_scales(), matrix.q_per_channel_zero_points()
    return scales.view(-1, 1), zeros.view(-1, 1)


def precision_of(matrix: Tensor | None) -> str:
    """Return a matrix's precision in a variant: int8, int8-channel for one scale per row, fp32 for
    None.

    PyTorch's embeddings always have one scale per row and float zero points: int8.
    """
    if matrix is None:
        return "fp32"
    scales, zeros = scales_of(matrix)
    return "int8" if scales.dim() == 0 or zeros.is_floating_point() else "int8-channel"
