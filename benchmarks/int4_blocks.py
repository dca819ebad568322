"""How many weights share a scale in int4: loss and bytes of the embedding and the decoder by block.

    python -m benchmarks.int4_blocks --text wikitext-2 [--tokens 3001]

The rounded weights run in fp32. `wlm.model.int4.BLOCK` was chosen by this.
"""

import argparse
import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.measuring.evaluate import evaluate
from wlm.measuring.machine import pinned
from wlm.text.corpus import batchify

BLOCKS = (16, 32, 64, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", default=DEFAULT_TEXT)
    parser.add_argument("--tokens", type=int, default=3001)
    options = parser.parse_args()
    checkpoint = open_model()
    ids = batchify(open_text(options.text, checkpoint.vocabulary).ids[: options.tokens], 1)
    with pinned(1):
        torch.set_num_threads(1)
        print(f"fp32                 loss {evaluate(checkpoint.model, ids).loss:.4f}", flush=True)
        for block in BLOCKS:
            for has_zero_point in (False, True):
                model, size = copy.deepcopy(checkpoint.model), 0.0
                for matrix in (model.encoder.weight, model.decoder.weight):
                    rounded, bytes = in_blocks(matrix, block, has_zero_point)
                    matrix.copy_(rounded)
                    size += bytes
                way = "zero points" if has_zero_point else "scales only"
                loss = evaluate(model, ids).loss
                print(f"{block:4} {way:15} loss {loss:.4f}  {size / 1e6:5.2f} MB", flush=True)


def in_blocks(weights: Tensor, block: int, has_zero_point: bool) -> tuple[Tensor, float]:
    """Return weights (R, C) rounded to 4 bits, and the bytes of integers, scales and, if used, zero
    points of 4 bits."""
    rows, columns = weights.shape
    padded = F.pad(weights, (0, -columns % block)).view(rows, -1, block)
    if has_zero_point:
        low, high = (bound.clamp(max=0) for bound in (padded.amin(2, True), -padded.amax(2, True)))
        scale = (-low - high) / 15
        zero = (-low / scale).round()
        kept = ((padded / scale + zero).round().clamp(0, 15) - zero) * scale
    else:
        scale = padded.abs().amax(2, True) / 7
        kept = (padded / scale).round() * scale
    bytes = padded.numel() / 2 + scale.numel() * (4.5 if has_zero_point else 4)
    return kept.nan_to_num().view(rows, -1)[:, :columns], bytes


if __name__ == "__main__":
    main()
