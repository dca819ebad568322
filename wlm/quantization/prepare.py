"""A model made ready to run as a variant, whichever runtime runs it.

What `prepare` returns is called like LSTMModel and has `init_hidden` and `nll`; besides,
`saved_bytes` is the size of the file that one would ship, `threads` the number it was prepared for.
"""

from functools import cached_property
from typing import Protocol

from torch import Tensor

from wlm.errors import VariantError
from wlm.model.lstm import Hidden, LSTMModel, ModelConfig
from wlm.quantization.variant import Variant


class PreparedModel(Protocol):
    """A variant of a model, in evaluation mode."""

    config: ModelConfig
    threads: int
    saved_bytes: int

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        """Map word ids (T, B) and a hidden state to logits (T, B, V) and the next state."""

    def nll(self, input: Tensor, hidden: Hidden, targets: Tensor) -> tuple[float, Hidden]:
        """Return the summed negative log-likelihood of targets (T * B), in nats, and the next
        hidden state."""

    def init_hidden(self, batch_size: int) -> Hidden:
        """Return the zero state that a text starts from."""

    def eval(self) -> "PreparedModel":
        """Return the model, in evaluation mode."""


class PyTorchModel:
    """A PyTorch module with the size of its file; threads are those of the process."""

    def __init__(self, module: LSTMModel, threads: int = 1):
        self.module, self.config, self.threads = module.eval(), module.config, threads
        self.nll, self.init_hidden = module.nll, module.init_hidden

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        return self.module(input, hidden)

    @cached_property
    def saved_bytes(self) -> int:
        from wlm.quantization.pytorch import saved_bytes

        return saved_bytes(self.module)

    def eval(self) -> "PyTorchModel":
        return self

    def __str__(self) -> str:
        return str(self.module)


def prepare(model: LSTMModel, variant: Variant, threads: int = 1) -> PreparedModel:
    """Return a variant of an fp32 model, ready to run; the model itself is never changed.

    ONNX Runtime runs on `threads` threads; PyTorch's number is the process's, see
    `wlm.measuring.evaluate.thread_count`. Raises VariantError where this machine cannot run the
    variant, WLMError where making it fails.
    """
    if reason := why_unavailable(variant):
        raise VariantError(reason)
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import onnx_file
        from wlm.quantization.onnx.session import OnnxModel

        return OnnxModel(onnx_file(model, variant), model.config, threads)
    from wlm.quantization.pytorch import quantize

    return PyTorchModel(quantize(model, variant), threads)


def why_unavailable(variant: Variant) -> str:
    """Return why this machine cannot run a variant, or nothing where it can."""
    if variant.runtime == "onnxruntime":
        from wlm.quantization.onnx.export import missing_packages

        return missing_packages()
    from wlm.quantization.pytorch import missing_engine

    return missing_engine(variant)
