"""Parts of a model in bf16: weights, inputs and sums' results have 16 bits, 8 of them the exponent.

PyTorch does not mix dtypes between parts. So a part in bf16 rounds its input to bf16 and returns
32-bit floats, which the next part takes, whatever its precision. Between two parts in bf16 both
conversions are exact: a model that is all bf16 computes what `model.to(torch.bfloat16)` does. The
largest conversion has V logits per word. The loss needs 32 bits anyway, because softmax sums
over V words, for which 8 significant bits are too few.
"""

import platform
import subprocess
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# By name as torch.cpu.get_capabilities reports them, then as Linux does for Arm.
_ARITHMETIC = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16")


class _InBf16:
    """What the three kinds of parts share."""

    def _get_name(self) -> str:
        return type(self).__bases__[1].__name__

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, dtype=torch.bfloat16"


class Bf16Embedding(_InBf16, nn.Embedding):
    """An embedding whose table is in bf16."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).float()


class Bf16LSTM(_InBf16, nn.LSTM):
    """A stack of LSTM layers whose weights, inputs and states are in bf16."""

    def forward(self, input: Tensor, hidden: tuple[Tensor, Tensor]) -> tuple:
        rounded = tuple(state.bfloat16() for state in hidden)
        output, (h, c) = super().forward(input.bfloat16(), rounded)
        return output.float(), (h.float(), c.float())


class Bf16Linear(_InBf16, nn.Linear):
    """A Linear layer whose weights, input and output are in bf16."""

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input.bfloat16(), self.weight, self.bias).float()


def in_bf16(module: nn.Module) -> nn.Module:
    """Return a copy of an Embedding, LSTM or Linear in bf16; its weights are rounded to nearest."""
    dtype = torch.bfloat16
    if isinstance(module, nn.Embedding):
        made = Bf16Embedding(module.num_embeddings, module.embedding_dim, dtype=dtype)
    elif isinstance(module, nn.LSTM):
        sizes = module.input_size, module.hidden_size, module.num_layers
        made = Bf16LSTM(*sizes, dropout=module.dropout, dtype=dtype)
    else:
        made = Bf16Linear(module.in_features, module.out_features, dtype=dtype)
    made.load_state_dict(module.state_dict())
    return made.requires_grad_(False).eval()


@cache
def computes_bf16() -> bool:
    """Tell whether this CPU has instructions for bf16: PyTorch converts to fp32 and back if not."""
    facts = torch.cpu.get_capabilities()
    if any(facts.get(name) for name in _ARITHMETIC):
        return True
    if platform.system() == "Darwin":
        query = ["sysctl", "-n", "hw.optional.arm.FEAT_BF16"]
        done = subprocess.run(query, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "1"
    return False
