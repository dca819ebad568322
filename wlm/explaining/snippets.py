"""The torch code behind each explanation; every piece of code continues the one before."""

from collections.abc import Sequence

from wlm.explaining.integers import highest_level
from wlm.explaining.reading import DECODER_WEIGHT
from wlm.quantization.snippet import engine_source, quantize_dynamic_source
from wlm.quantization.variant import Variant

WEIGHT = """\
import torch
from torch import nn

from wlm import load_checkpoint

checkpoint = load_checkpoint({folder!r})
weights = checkpoint.model.state_dict()[{matrix!r}]
step = weights.abs(){largest} / 127.5
integers = (weights * (1 / step)).round().clamp(-128, 127)
error = integers * step - weights
print(integers[{row}, :8], error[{row}].abs().max())
"""
INPUT = """\
{quantize}
hidden = int8.init_hidden(1)
for id in checkpoint.vocabulary.encode({words!r}):
    before = hidden
    logits, hidden = int8(id.view(1, 1), before)

given = {given}
low, high = given.min().clamp(max=0), given.max().clamp(min=0)
input_step = (high - low) / {highest}{zeros}
zero_point = (-low / input_step).round()
input_integers = ((given * (1 / input_step)).round() + zero_point).clamp(0, 255)
print(input_step, zero_point, input_integers[:8])
"""
SUM = """\
row = {row}
total = (integers[row].int() * input_integers.int()).sum()
correction = (zero_point * integers[row].sum()).int()
bias = checkpoint.model.state_dict()[{bias!r}][row]
value = (total - correction) * step{of_row} * input_step + bias
print(value{beside})
"""
NEXT = """\
state = checkpoint.model.init_hidden(1)
for id in checkpoint.vocabulary.encode({words!r}):
    reference, state = checkpoint.model(id.view(1, 1), state)

for values in reference, logits:
    likely = values[0, 0].softmax(0).topk({likely})
    print(checkpoint.vocabulary.decode(likely.indices), likely.values)
"""
FEWER = """\
half = 2 ** ({bits} - 1)
for name, weights in checkpoint.model.named_parameters():
    if "weight" in name and not name.startswith("encoder."):
        step = weights.abs(){largest} / (half - 0.5)
        weights.copy_((weights * (1 / step)).round().clamp(-half, half - 1) * step)
"""


def lines_of(
    folder: str,
    words: Sequence[str],
    matrix: str,
    row: int | str,
    *,
    by_row: bool,
    bits: int,
    likely: int = 10,
) -> tuple[str, str, str, str, str]:
    """Return the code of the five explanations: a weight, an input, their sum, next words and fewer
    bits, at the last of `words`.

    matrix: its name in the fp32 state_dict; row: a number, or code that computes a number.
    """
    whole = matrix == DECODER_WEIGHT
    largest = ".amax(1, keepdim=True)" if by_row else ".max()"
    precision = "int8-channel" if by_row else "int8"
    variant = Variant(lstm=precision, linear=precision)
    weight = WEIGHT.format(folder=folder, matrix=matrix, row=row, largest=largest)
    input = INPUT.format(
        quantize=engine_source(variant)
        + quantize_dynamic_source(variant, "checkpoint.model", "int8").rstrip(),
        words=list(words),
        given=_given(matrix),
        highest=highest_level(),
        zeros=" or torch.tensor(0.1)" if "_hh_" in matrix else "",
    )
    sum = SUM.format(
        row=row,
        bias=matrix.replace("weight", "bias"),
        of_row="[row, 0]" if by_row else "",
        beside=", logits[0, 0, row]" if whole else "",
    )
    following = NEXT.format(words=list(words), likely=likely)
    return weight, input, sum, following, FEWER.format(bits=bits, largest=largest)


def _given(matrix: str) -> str:
    """Return code for a matrix's input at the last word, in the names of INPUT."""
    if matrix == DECODER_WEIGHT:
        return "hidden[0][-1, 0]"
    layer = int(matrix.rpartition("_l")[2])
    if "_hh_" in matrix:
        return f"before[0][{layer}, 0]"
    return f"hidden[0][{layer - 1}, 0]" if layer else "int8.encoder(id)"
