"""The results in the tutorial "Dynamic Quantization on an LSTM Word Language Model".

Text: WikiText-2's test set, batch size 1, chunks of 25 tokens, one thread. Machine: a MacBook Pro.
PyTorch withdrew the page in 2025.
"""

from dataclasses import dataclass

TOKENS = 245_569  # with <eos>
MACHINE = "MacBook Pro, one thread"
# The arguments of `wlm.model.lstm.ModelConfig`.
ARCHITECTURE = {"ntoken": 33_278, "ninp": 512, "nhid": 256, "nlayers": 5}


@dataclass(frozen=True)
class Published:
    """One column of the tutorial's results: bytes, nats per token, seconds for all TOKENS."""

    size_bytes: int
    loss: float
    elapsed_s: float


# By the name of the variant. The loss was measured with the tutorial's own weights.
PUBLISHED = {
    "fp32": Published(113_944_455, 5.167, 195.2),
    "int8": Published(79_738_939, 5.168, 112.5),
}
