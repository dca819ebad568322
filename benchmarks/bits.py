"""Measure the loss at fewer bits, from 8 to 2, with one scale a matrix and with one a row.

    python -m benchmarks.bits

Writes assets/bits.json for the bundled model and text, which the page How shows; takes about two
minutes. Weights of LSTM and Linear are rounded, all else is fp32: `wlm.explaining.bits`.
"""

import json
from dataclasses import asdict

from wlm.catalog.open import open_model, open_text
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.explaining.bits import FEWEST_BITS, MOST_BITS, rounded_model
from wlm.explaining.curve import FILE, LossAt, LossCurve
from wlm.measuring.evaluate import Block, Evaluation, evaluate_blocks
from wlm.measuring.intervals import mean_interval
from wlm.measuring.machine import describe_machine
from wlm.text.corpus import batchify


def main() -> None:
    checkpoint = open_model(DEFAULT_MODEL)
    data = batchify(open_text(DEFAULT_TEXT, checkpoint.vocabulary).ids, 1)  # (N, 1)

    def blocks(model) -> list[Block]:
        return list(evaluate_blocks(model, data, chunks_per_block=20))

    baseline, points = blocks(checkpoint.model), []
    for by_row in (False, True):
        for bits in range(MOST_BITS, FEWEST_BITS - 1, -1):
            found = blocks(rounded_model(checkpoint.model, bits, by_row))
            # The last block, of fewer words, would count for as much as the others.
            pairs = list(zip(baseline, found, strict=True))[:-1]
            delta = mean_interval([(b.nll - a.nll) / a.tokens for a, b in pairs])
            loss = Evaluation.of(found).loss
            points.append(LossAt(bits, by_row, loss, delta.value, delta.low, delta.high))
            print(f"{bits} bits, {'a row' if by_row else 'a matrix'}: {loss:.4f}", flush=True)
    curve = LossCurve(
        weights_sha256=checkpoint.sha256,
        text=DEFAULT_TEXT,
        tokens=len(data),
        cpu=describe_machine()["cpu"],
        fp32=Evaluation.of(baseline).loss,
        points=tuple(points),
    )
    FILE.write_text(json.dumps(asdict(curve), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
